import { expect, test } from 'vitest';
import { shortest } from '../../support/process/shortest.ts';

const taking = (...ms: number[]) => {
  let tries = 0;
  return { tries: () => tries, attempt: async () => ms[tries++ % ms.length]! };
};

test('one that is in time is enough, and what is always too slow is', async () => {
  const once = taking(5000, 1999, 1);
  expect([await shortest(2000, once.attempt), once.tries()]).toEqual([1999, 2]);
  const never = taking(2400, 2000, 9000);
  expect([await shortest(2000, never.attempt), never.tries()]).toEqual([2000, 5]);
});
