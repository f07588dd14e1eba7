import http from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import { QueryError } from '../../bot/answers/queryError.ts';
import type { QueryAddress } from '../api/hostApi.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Engine } from '../engine/engine.ts';
import type { Instances } from '../instances/instances.ts';
import { ask, bodyOf } from './exchange.ts';

export interface Worker {
  readonly name: string;
  readonly address: QueryAddress;
}

export interface StartWorkerOptions {
  readonly engine: Engine;
  readonly instances: Instances;
  readonly clock: Clock;
  /** Letters and digits, unique. */
  readonly id: string;
  /** Where query servers listen; another one in tests. */
  readonly port?: number | undefined;
}

export const QUERY_PORT = 9476;
/** What a worker's start may take, state included, milliseconds. */
const START_MS = 60_000;
/** How often it is asked whether it answers, milliseconds. */
const POLL_MS = 10;
/** The gateway ends a query at its own deadline; the worker's own limit is never the shorter one. */
const LONGEST_QUERY = '300s';
const OUTPUT_LINES = 20;
const OUTPUT_BYTES = 4096;

/**
 * Makes and starts a container that pulls the state, takes no generation, and serves queries; resolves once it answers. Throws
 * `QueryError` with what it printed when it ends instead.
 */
export async function startWorker(options: StartWorkerOptions, spec: BotSpec): Promise<Worker> {
  const { engine, instances, id, clock, port = QUERY_PORT } = options;
  const signal = AbortSignal.timeout(START_MS);
  let name: string | undefined;
  try {
    await instances.prepare(spec, signal);
    const instance = await instances.query(spec, id, { QUERY_TIMEOUT: LONGEST_QUERY }, signal);
    name = instance.name;
    await engine.create({ ...instance, command: ['--query-server-only', '--pull'] }, signal);
    await engine.start(name, signal);
    for (;;) {
      const seen = await engine.inspect(name, signal);
      if (seen === undefined) throw new Error('it is gone');
      if (seen.state === 'ended') {
        const output = await outputOf(engine, name, signal);
        throw new QueryError(
          502,
          'error',
          `query container exited with code ${seen.exitCode ?? -1}: ${output}`,
        );
      }
      const address = seen.address && { host: seen.address, port, instance: seen.id };
      if (address && (await answers(address, signal))) return { name, address };
      await clock.sleep(POLL_MS, signal);
    }
  } catch (error) {
    if (name !== undefined) await discard(engine, name);
    if (error instanceof QueryError) throw error;
    if (signal.aborted)
      throw new QueryError(
        504,
        'timeout',
        `no query container of ${spec.name} answered within ${START_MS} ms`,
      );
    throw new QueryError(
      502,
      'unavailable',
      `no query container of ${spec.name} could be started: ${asRuntimeError(error).message}`,
    );
  }
}

/** Ready: the query program listens, or is run for each query. */
async function answers(address: QueryAddress, signal: AbortSignal): Promise<boolean> {
  const agent = new http.Agent();
  try {
    const exchange = { method: 'GET', target: '/_runtime/readyz', headers: {}, body: undefined } as const;
    const answer = await ask(agent, address, exchange, AbortSignal.any([signal, AbortSignal.timeout(1000)]));
    await bodyOf(answer, signal);
    return answer.statusCode === 200;
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    agent.destroy();
  }
}

async function outputOf(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const { bytes } of engine.logs(name, { tail: OUTPUT_LINES, follow: false }, signal))
      pieces.push(bytes);
  } catch {
    return 'its output cannot be read';
  }
  return Buffer.concat(pieces).toString().trim().slice(-OUTPUT_BYTES) || 'it printed nothing';
}

async function discard(engine: Engine, name: string): Promise<void> {
  const { signal } = new AbortController();
  await engine.kill(name, signal).catch(() => undefined);
  // What is left is found by its label when the next host starts.
  await engine.remove(name, signal).catch(() => undefined);
}
