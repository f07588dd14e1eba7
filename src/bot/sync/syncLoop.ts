import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { SyncPolicy } from './nextSync.ts';
import { SyncSchedule } from './syncSchedule.ts';

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
  /** While `work` goes on there is no look; it waits for the one under way. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createSyncLoop(options: SyncLoopOptions): SyncLoop {
  const schedule = new SyncSchedule(options.policy, options.clock);
  let last: Promise<unknown> = Promise.resolve();
  const alone = async <T>(work: () => Promise<T>) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return await mine;
  };
  return {
    alone,
    hint: () => schedule.hint(),
    run: async (signal) => {
      while (!signal.aborted) {
        await schedule.untilDue(signal);
        if (!signal.aborted) await alone(() => look(schedule, options, signal));
      }
    },
  };
}

async function look(
  schedule: SyncSchedule,
  { sync, onError, log }: SyncLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  schedule.begin();
  try {
    await sync(signal);
    schedule.ended('well');
  } catch (error) {
    if (signal.aborted) return;
    if (isRuntimeError(error, 'fenced')) throw error;
    schedule.ended('badly');
    const { message, hint } = asRuntimeError(error);
    log.error(`state not saved, trying again: ${message}`, { hint, failures: schedule.failures });
    onError(asRuntimeError(error));
  }
}
