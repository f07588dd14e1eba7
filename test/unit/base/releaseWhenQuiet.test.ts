import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { releaseWhenQuiet } from '../../../src/base/releaseWhenQuiet.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('memory is given back once, when much work has been followed by little', () => {
  let released = 0;
  const worked = releaseWhenQuiet(1000, () => {
    released += 1;
  });
  worked(999);
  vi.advanceTimersByTime(60_000);
  expect(released).toBe(0);
  worked(1);
  vi.advanceTimersByTime(9_000);
  worked(1000);
  vi.advanceTimersByTime(9_000);
  expect(released).toBe(0);
  worked(1);
  vi.advanceTimersByTime(2_000);
  expect(released).toBe(1);
  worked(1);
  vi.advanceTimersByTime(60_000);
  expect(released).toBe(1);
});
