import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { releaseWhenQuiet } from '../../../src/query/releaseWhenQuiet.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('memory is given back once, when many queries have been followed by none', () => {
  let released = 0;
  const query = releaseWhenQuiet(() => {
    released += 1;
  });
  const ask = (count: number) => {
    for (let n = 0; n < count; n += 1) query();
  };
  ask(999);
  vi.advanceTimersByTime(60_000);
  expect(released).toBe(0);
  ask(1);
  vi.advanceTimersByTime(9_000);
  ask(1);
  vi.advanceTimersByTime(9_000);
  expect(released).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(released).toBe(1);
  ask(1);
  vi.advanceTimersByTime(60_000);
  expect(released).toBe(1);
});
