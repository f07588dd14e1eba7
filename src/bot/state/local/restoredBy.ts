/**
 * When a tree was restored (µs), as far as that still tells what nobody has touched since: by a clock that has been set back (`now`, ms), what is
 * written after the restore has an earlier time. 0: it tells nothing, and what has not been read yet is read.
 */
export function restoredBy(restoredAt: number, now: number): number {
  return restoredAt <= now * 1000 ? restoredAt : 0;
}
