import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { storeTime } from '../../../../src/store/s3/storeTime.ts';

test('of requests that were under way together when the clock was set, each may be sent again', () => {
  let setMs = 0;
  const time = storeTime({ ...systemClock, now: () => 1e12 + setMs });
  time.wasRight();
  setMs = 3_600_000;
  const signedAt = time.now();
  const date = new Date(1e12).toUTCString();
  expect([time.correct(date, signedAt), time.correct(date, signedAt)]).toEqual([true, true]);
  expect(time.now()).toBe(1e12);
  // What was signed by the store's own time and is refused all the same is refused for something else.
  expect(time.correct(date, time.now())).toBe(false);
});
