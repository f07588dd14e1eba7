import { setTimeout as delay } from 'node:timers/promises';

/** Time as the rest of the code sees it, passed in so that tests can own it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. People and machines set it: for times that are told, never for how long something takes. */
  now(): number;
  /** Milliseconds since some moment of this process. Nobody sets it: for intervals, limits and budgets. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    await delay(ms, undefined, signal ? { signal } : undefined).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  },
};
