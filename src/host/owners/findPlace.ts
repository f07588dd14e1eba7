import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { EnginePlace } from '../engine/engine.ts';
import { UNKNOWN_PLACE } from './owners.ts';

export interface FindPlace {
  /** Rejects while the engine does not answer. */
  readonly place: (signal: AbortSignal) => Promise<EnginePlace>;
  readonly clock: Clock;
  readonly log: Logger;
}

const AGAIN_MS = 500;

/**
 * Which engine this host is on, once that answers; `UNKNOWN_PLACE` where it answers and does not say it, such as a proxy before it. Undefined
 * when the signal comes first.
 */
export async function findPlace(
  { place, clock, log }: FindPlace,
  signal: AbortSignal,
): Promise<EnginePlace | undefined> {
  while (!signal.aborted) {
    try {
      return await place(signal);
    } catch (error) {
      const { code, message } = asRuntimeError(error);
      if (code !== 'unavailable') {
        log.warn(
          `other hosts of the same store are not noticed, because the engine does not say which one it is: ${message}`,
          { hint: 'Let what is between this host and its engine answer GET /info.' },
        );
        return UNKNOWN_PLACE;
      }
      // Of an engine that is away the loop tells.
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    }
  }
  return undefined;
}
