import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Claims } from './createClaims.ts';

export interface WatchClaims {
  readonly claims: Claims;
  /** Those that the store knows this host by. */
  readonly ids: () => readonly string[];
  /** After each look. */
  readonly looked: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const EVERY_MS = 30_000;

/** One listing in half a minute: what was taken by another host is seen also by one that nobody tells. */
export async function watchClaims({ claims, ids, looked, clock, log, signal }: WatchClaims): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const own = ids();
      if (own.length > 0) for (const id of await claims.changed(own)) await claims.check(id);
    } catch (error) {
      if (!signal.aborted)
        log.warn(`what other hosts have taken is not known: ${asRuntimeError(error).message}`);
    }
    looked();
  }
}
