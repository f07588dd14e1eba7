import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { nextDelay } from '../../../../src/store/retry/backoff.ts';

const policy = { deadlineMs: 10_000, baseMs: 100, capMs: 1000 };
const error = new RuntimeError('unavailable', 'away', { retryable: true });
const first = { attempt: 1, error, elapsedMs: 0, random: 0 };

test('pauses double up to the cap, and half of each is random', () => {
  const pauses = [1, 2, 3, 4, 5, 60].map((attempt) => nextDelay(policy, { ...first, attempt }));
  expect(pauses).toEqual([50, 100, 200, 400, 500, 500]);
  expect(nextDelay(policy, { ...first, random: 0.5 })).toBe(75);
});

test('what is not retryable, or no error of the store, is given up', () => {
  expect(nextDelay(policy, { ...first, error: new RuntimeError('denied', 'no') })).toBeUndefined();
  expect(nextDelay(policy, { ...first, error: new TypeError('a defect') })).toBeUndefined();
});

test('the last attempt is made at the deadline, and none after it', () => {
  expect(nextDelay(policy, { ...first, attempt: 9, elapsedMs: 9990 })).toBe(10);
  expect(nextDelay(policy, { ...first, elapsedMs: 10_000 })).toBeUndefined();
  expect(nextDelay({ ...policy, deadlineMs: 0 }, first)).toBeUndefined();
});

test('the store is waited for as long as it asks, and no longer than the longest pause of our own', () => {
  const asking = (retryAfterMs: number) =>
    new RuntimeError('unavailable', 'away', { retryable: true, retryAfterMs });
  expect(nextDelay(policy, { ...first, error: asking(900) })).toBe(900);
  expect(nextDelay(policy, { ...first, error: asking(1) })).toBe(50);
  // Half of it random: a thousand bots were all told the same.
  expect(nextDelay(policy, { ...first, error: asking(120_000) })).toBe(500);
  expect(nextDelay(policy, { ...first, error: asking(120_000), random: 0.5 })).toBe(750);
  expect(nextDelay(policy, { ...first, error: asking(120_000), elapsedMs: 9900 })).toBe(100);
});
