import { expect, test } from 'vitest';
import { growingWait } from '../../../src/base/growingWait.ts';

test('doubles with each failure, up to the longest', () => {
  const growth = { firstMs: 100, longestMs: 1000 };
  const waits = [1, 2, 3, 4, 5, 5000].map((failures) => growingWait(growth, failures));
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
});
