import * as v from 'valibot';

/** What clients keep with their things is in memory, in each list and on the disk. Characters of JSON. */
const MOST = 16 * 1024;
/** What writes and compares it goes down into it by calls of its own. */
const DEEPEST = 64;

/** For values that only their client understands: no more of them than an answer can hold, in size and in depth. */
export const smallJson = <T>() =>
  v.check<T, string>(
    (value) => isShallow(value, DEEPEST) && (JSON.stringify(value) ?? '').length <= MOST,
    `expected at most ${MOST} characters of JSON, ${DEEPEST} levels deep`,
  );

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1));
}
