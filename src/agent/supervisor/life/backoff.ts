import { growingWait } from '../../../base/growingWait.ts';

const growth = { firstMs: 200, longestMs: 30_000 };

/** Wait before the next try after `failures` (≥ 1) in a row, milliseconds, with a quarter of jitter. Pure. */
export function backoffMs(failures: number, random: () => number): number {
  return growingWait(growth, failures) * (0.75 + random() * 0.5);
}
