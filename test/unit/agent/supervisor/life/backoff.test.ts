import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../../../../src/agent/supervisor/life/backoff.ts';

test('doubles from 200 ms to 30 s', () => {
  const waits = [1, 2, 3, 8, 9, 50, 1e6].map((failures) => backoffMs(failures, () => 0.5));
  expect(waits).toEqual([200, 400, 800, 25_600, 30_000, 30_000, 30_000]);
});

test('the jitter is a quarter', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, random) => {
        const middle = backoffMs(failures, () => 0.5);
        const wait = backoffMs(failures, () => random);
        expect(wait / middle).toBeGreaterThanOrEqual(0.75);
        expect(wait / middle).toBeLessThan(1.25);
      },
    ),
  );
});
