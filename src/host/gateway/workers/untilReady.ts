import http from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import type { QueryAddress } from '../../api/hostApi.ts';
import type { Engine } from '../../engine/engine.ts';
import { ask, bodyOf } from '../exchange.ts';

export interface UntilReady {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Where query servers listen; another one in tests. */
  readonly queryPort?: number | undefined;
}

export const QUERY_PORT = 9476;
/** How often it is asked whether it answers, milliseconds. */
const POLL_MS = 5;
const OUTPUT_LINES = 20;
const OUTPUT_BYTES = 4096;

/**
 * Where an instance answers, once it does: its query program listens, or is run for each query. Throws `QueryError` with what it
 * printed when it ends instead, and the signal's reason.
 */
export async function untilReady(
  { engine, clock, queryPort = QUERY_PORT }: UntilReady,
  name: string,
  signal: AbortSignal,
): Promise<QueryAddress> {
  const agent = new http.Agent({ keepAlive: true });
  try {
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
      const address = seen.address && { host: seen.address, port: queryPort, instance: seen.id };
      if (address && (await isReady(agent, address, signal))) return address;
      await clock.sleep(POLL_MS, signal);
    }
  } finally {
    agent.destroy();
  }
}

async function isReady(agent: http.Agent, address: QueryAddress, signal: AbortSignal): Promise<boolean> {
  try {
    const exchange = { method: 'GET', target: '/_runtime/readyz', headers: {}, body: undefined } as const;
    const answer = await ask(agent, address, exchange, AbortSignal.any([signal, AbortSignal.timeout(1000)]));
    await bodyOf(answer, signal);
    return answer.statusCode === 200;
  } catch {
    signal.throwIfAborted();
    return false;
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
