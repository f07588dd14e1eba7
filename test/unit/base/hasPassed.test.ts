import { expect, test } from 'vitest';
import { hasPassed } from '../../../src/base/hasPassed.ts';

test.each([
  [0, 100, 99, false],
  [0, 100, 100, true],
  [5_000, 100, 4_999, true],
  [5_000, 0, 5_000, true],
])('from %i on, %i ms, now %i: %s', (at, ms, now, expected) => {
  expect(hasPassed(at, ms, now)).toBe(expected);
});
