import type { Agent, IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { QueryError } from '../../bot/answers/queryError.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { Admission } from './admission.ts';
import { ask, type Exchange } from './exchange.ts';
import { placeOf } from './placeOf.ts';
import type { Unsent } from './unsent.ts';
import type { Workers } from './workers/workers.ts';

export interface Asking {
  readonly api: HostApi;
  readonly admission: Admission;
  readonly workers: Workers;
  readonly unsent: Unsent;
  readonly clock: Clock;
  /** Kept connections to the bots' own servers. */
  readonly agent: Agent;
}

/**
 * One query of a bot: `use` gets the head of its answer, and the query is over when `use` is, or when it calls `leave`: a stream
 * takes no query's place. Throws `QueryError`, or the signal's reason. `onPlace` is told where it is answered.
 */
export async function askBot<T>(
  { api, admission, workers, agent }: Asking,
  bot: string,
  exchange: Exchange,
  signal: AbortSignal,
  onPlace: (place: 'bot' | 'worker') => void,
  use: (answer: IncomingMessage, leave: () => void) => Promise<T>,
): Promise<T> {
  const leave = admission.enter(bot);
  try {
    const place = await placeOf(api, workers, bot, signal);
    onPlace(place.kind);
    try {
      return await use(await ask(agent, place.address, exchange, signal), leave);
    } catch (error) {
      if (place.kind === 'worker' && error instanceof QueryError && error.outcome === 'unavailable')
        workers.discard(bot);
      throw error;
    } finally {
      place.release();
    }
  } finally {
    leave();
  }
}
