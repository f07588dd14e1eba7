const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/** Wait before the next try after `failures` (≥ 1) in a row, milliseconds, with a quarter of jitter. Pure. */
export function backoffMs(failures: number, random: () => number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return base * (0.75 + random() * 0.5);
}
