import { expect, test } from 'vitest';
import { restartPause } from '../../../../../src/agent/query/program/queryProgram.ts';

test('pauses grow from 100 ms to 30 s', () => {
  expect([1, 2, 3, 10, 1000].map(restartPause)).toEqual([100, 200, 400, 30_000, 30_000]);
});
