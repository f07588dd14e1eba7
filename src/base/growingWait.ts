/** Milliseconds. */
export interface Growth {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long to wait after so many `failures` in a row: the first wait, doubled by each failure but the first, up to the longest. Pure. */
export function growingWait({ firstMs, longestMs }: Growth, failures: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
}
