import type { Clock } from '../../src/base/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on, waking sleepers in order; what they then do happens before the next wakes. */
  advance(ms: number): Promise<void>;
  /** Somebody sets the wall clock; nobody wakes of that. */
  set(now: number): void;
  readonly sleepers: number;
}

interface Sleeper {
  at: number;
  readonly wake: () => void;
}

/** A clock that only the test moves. Sleeping is measured on a clock of its own, which nobody sets. */
export function fakeClock(start = 1_000_000): FakeClock {
  let elapsed = 0;
  let offset = start;
  const sleepers = new Set<Sleeper>();
  const settle = async () => {
    for (let i = 0; i < 20; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    now: () => offset + elapsed,
    elapsed: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const stop = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          at: elapsed + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', stop, { once: true });
      }),
    advance: async (ms) => {
      await settle();
      const until = elapsed + ms;
      for (;;) {
        const next = [...sleepers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        elapsed = Math.max(elapsed, next.at);
        next.wake();
        await settle();
      }
      elapsed = until;
      await settle();
    },
    set: (now) => {
      offset = now - elapsed;
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}
