import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createOutage } from '../../../../src/host/owners/outage.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

const lost = new RuntimeError('unavailable', 'an answer was lost');

test('a failed question is asked again soon, and is an outage only after five in a row', () => {
  const outage = createOutage(fakeClock());
  const seen = [1, 2, 3, 4, 5, 6].map(() => {
    outage.failed(lost);
    return [outage.againMs, outage.isStanding];
  });
  expect(seen).toEqual([
    [1_000, false],
    [2_000, false],
    [4_000, false],
    [8_000, false],
    [10_000, true],
    [10_000, true],
  ]);
  outage.over();
  expect([outage.isStanding, outage.error]).toEqual([false, undefined]);
  outage.failed(lost);
  expect([outage.againMs, outage.isStanding]).toEqual([1_000, false]);
});

test('what the store refuses stands at once, but for conditional writes: nobody knows who has written', () => {
  const outage = createOutage(fakeClock());
  outage.failed(new RuntimeError('denied', 'no right to write'));
  expect(outage.isStanding).toBe(true);
  for (let left = 9; left > 0; left -= 1) outage.failed(new RuntimeError('conflict', 'status 412'));
  expect(outage.isStanding).toBe(false);
});

test.each([3_600_000, -3_600_000])('an outage says nothing of a time %i ms away', (ms) => {
  const clock = fakeClock();
  const outage = createOutage(clock);
  for (let left = 5; left > 0; left -= 1) outage.failed(lost);
  expect(outage.isStanding).toBe(true);
  clock.set(clock.now() + ms);
  expect(outage.isStanding).toBe(false);
  outage.failed(lost);
  expect([outage.againMs, outage.isStanding]).toEqual([1_000, false]);
});
