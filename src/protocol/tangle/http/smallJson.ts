import * as v from 'valibot';

/** What clients keep with their things is in memory, in each list and on the disk. Characters of JSON. */
const MOST = 16 * 1024;

/** For values that only their client understands: no more of them than an answer can hold, in size and in depth. */
export const smallJson = <T>() => v.check<T, string>(isSmall, `expected at most ${MOST} characters of JSON`);

function isSmall(value: unknown): boolean {
  try {
    return (JSON.stringify(value) ?? '').length <= MOST;
  } catch {
    // Deeper than the stack.
    return false;
  }
}
