import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { nextSyncAt, type SyncPolicy } from './nextSync.ts';

export interface SyncLoopOptions {
  readonly policy: SyncPolicy;
  /** One look: publishes when something changed, ships logs. Throws; the loop decides. */
  readonly sync: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: Error) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface SyncLoop {
  /** A watcher saw something: a hint that brings the next look forward, never the reason for skipping one. */
  hint(): void;
  /**
   * Looks until `signal` is aborted; rejects only with `fenced`. Anything else is logged once and tried again: the
   * last snapshot stands, and the bot goes on.
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createSyncLoop({ policy, sync, onError, clock, log }: SyncLoopOptions): SyncLoop {
  let lookedAt = clock.now();
  let failures = 0;
  let firstChangeAt: number | undefined;
  let lastChangeAt: number | undefined;
  let wake: (() => void) | undefined;

  const due = () => nextSyncAt({ lookedAt, failures, firstChangeAt, lastChangeAt }, policy);

  const untilDue = () => {
    // A clock that was set back must not put the next look off by as much.
    lookedAt = Math.min(lookedAt, clock.now());
    return due() - clock.now();
  };

  const waitUntilDue = async (signal: AbortSignal) => {
    for (let wait = untilDue(); wait > 0; wait = untilDue()) {
      const nudge = new AbortController();
      wake = () => nudge.abort();
      // A hint only moves the time forward once per burst: the first one; later ones are looked at when it is due.
      await clock.sleep(wait, AbortSignal.any([signal, nudge.signal])).catch(() => undefined);
      wake = undefined;
      if (signal.aborted) return;
    }
  };

  const look = async (signal: AbortSignal) => {
    lookedAt = clock.now();
    // Cleared before the look: a change that comes while we look is a new one.
    firstChangeAt = undefined;
    lastChangeAt = undefined;
    try {
      await sync(signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (isRuntimeError(error, 'fenced')) throw error;
      failures += 1;
      const { message, hint } = asRuntimeError(error);
      log.error(`state not saved, trying again: ${message}`, { hint, failures });
      onError(asRuntimeError(error));
    }
  };

  return {
    hint: () => {
      const now = clock.now();
      const first = firstChangeAt === undefined;
      firstChangeAt ??= now;
      lastChangeAt = now;
      if (first) wake?.();
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await waitUntilDue(signal);
        if (!signal.aborted) await look(signal);
      }
    },
  };
}
