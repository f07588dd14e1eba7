import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { withRetry } from '../../../../src/store/retry/retry.ts';

const away: ObjectStore['head'] = async () => {
  throw new RuntimeError('unavailable', 'away', { retryable: true });
};

test.each([-3_600_000, 3_600_000])(
  'a clock that is set by %i ms at each try: the deadline is when it would have been',
  async (ms) => {
    let elapsed = 0;
    let now = 1e12;
    const clock = {
      now: () => now,
      elapsed: () => elapsed,
      sleep: async (wait: number, limit?: AbortSignal) => {
        // The limit of an attempt, which is over before.
        if (limit) return await new Promise<void>(() => undefined);
        elapsed += wait;
        now += wait + ms;
      },
    };
    const store = { name: 'store', head: away } as ObjectStore;
    const patient = withRetry(
      store,
      { deadlineMs: 10_000, baseMs: 100, capMs: 1000 },
      { clock, random: () => 0.5 },
    );
    await expect(patient.head('key')).rejects.toMatchObject({ code: 'unavailable' });
    expect(elapsed).toBe(10_000);
  },
);
