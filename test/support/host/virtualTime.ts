import type { Clock } from '../../../src/base/clock.ts';

/** Time that passes only as far as what is done in it: whatever a sleeper does without waiting is done before the next one wakes. */
export function virtualTime() {
  let now = 1_800_000_000_000;
  let order = 0;
  const sleepers = new Set<{ at: number; order: number; wake: () => void }>();
  const settle = async () => {
    for (let left = 3; left > 0; left -= 1) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const clock: Clock = {
    now: () => now,
    elapsed: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        order += 1;
        const sleeper = { at: now + Math.max(0, ms), order, wake: () => {} };
        const stop = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        sleeper.wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', stop, { once: true });
      }),
  };
  return {
    clock,
    /** `each`: called whenever something may have happened. */
    pass: async (ms: number, each: () => void): Promise<void> => {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = [...sleepers].reduce<{ at: number; order: number; wake: () => void } | undefined>(
          (first, one) =>
            first === undefined || one.at < first.at || (one.at === first.at && one.order < first.order)
              ? one
              : first,
          undefined,
        );
        if (next === undefined || next.at > until) break;
        now = Math.max(now, next.at);
        next.wake();
        await settle();
        each();
      }
      now = until;
    },
  };
}
