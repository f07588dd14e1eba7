import { refused } from './refused.ts';

const BACKSLASH =
  'Whether that separates folders cannot be told: pack the code with a tool that uses forward slashes, as the format says.';
/** Bytes that a file name may have on Linux. */
const MAX_SEGMENT = 255;
/** Bytes; leaves room for the code path below Linux' 4096. */
const MAX_PATH = 3072;
/**
 * Nearly every name: letters, digits and a few signs, segments that begin with none of the signs, too short for any
 * limit. It needs no further look, which takes 10 ms for 2,000 names.
 */
const PLAIN = /^(?=.{1,85}$)\w[\w.+@-]*(?:\/\w[\w.+@-]*)*$/;
/** Names at the top of the code path that are the runtime's own: the marker, and stages. */
export const RESERVED_PREFIX = '.runtime-code.';

/**
 * The one place where a name from an archive becomes a path: relative, `/`-separated, without empty, `.` or `..`
 * segments; `''` for the archive's root. Leading `./`, doubled and trailing slashes are normal and dropped.
 */
export function entryPath(name: string): string {
  if (PLAIN.test(name)) return name;
  if (name === '') throw refused('an entry has no name');
  if (name.includes('\0')) throw refused('a name holds a NUL byte', { entry: name });
  if (name.includes('\ufffd')) throw refused('a name is not UTF-8', { entry: name });
  if (name.includes('\\')) throw refused('a name holds a backslash', { entry: name, hint: BACKSLASH });
  if (name.startsWith('/')) throw refused('a name is absolute', { entry: name });
  if (/^[A-Za-z]:/.test(name)) throw refused('a name has a drive letter', { entry: name });
  const path = simplify(name);
  if (Buffer.byteLength(path) > MAX_PATH) throw refused('a name is too long', { entry: name });
  if (path.startsWith(RESERVED_PREFIX)) {
    throw refused(`names that begin with ${RESERVED_PREFIX} are the runtime's own`, {
      entry: name,
      hint: 'Leave that file out of the archive.',
    });
  }
  return path;
}

function simplify(name: string): string {
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  for (const segment of segments) {
    if (segment === '..') throw refused('a name leaves the archive', { entry: name });
    // A character has at most 3 bytes in UTF-8 for each of its UTF-16 units.
    if (segment.length * 3 > MAX_SEGMENT && Buffer.byteLength(segment) > MAX_SEGMENT) {
      throw refused('a name is too long', { entry: name });
    }
  }
  return segments.join('/');
}
