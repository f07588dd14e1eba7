import http from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { QueryError } from '../../../bot/answers/queryError.ts';
import type { QueryAddress } from '../../api/hostApi.ts';
import type { Engine } from '../../engine/engine.ts';
import { QUERY_PORT } from '../../engine/queryPort.ts';
import { ask, bodyOf } from '../exchange.ts';
import { outputOf } from './outputOf.ts';

export interface UntilReady {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Where query servers listen; another one in tests. */
  readonly queryPort?: number | undefined;
}

/** How often it is tried whether it listens, milliseconds, and after how many times it is looked whether it is still there. */
const POLL_MS = 5;
const TRIES = 20;
/** Whoever listens answers when it is ready, or after this, seconds. */
const WAIT_S = 20;

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
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (address && (await isReady(agent, address, signal))) return address;
        await clock.sleep(POLL_MS, signal);
        if (address === undefined) break;
      }
    }
  } finally {
    agent.destroy();
  }
}

async function isReady(agent: http.Agent, address: QueryAddress, signal: AbortSignal): Promise<boolean> {
  try {
    const headers = { prefer: `wait=${WAIT_S}` };
    const exchange = { method: 'GET', target: '/_runtime/readyz', headers, body: undefined } as const;
    const limit = AbortSignal.any([signal, AbortSignal.timeout((WAIT_S + 1) * 1000)]);
    const answer = await ask(agent, address, exchange, limit);
    await bodyOf(answer, signal);
    return answer.statusCode === 200;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
