/** Where the empty line after the headers of an HTTP message ends, in CRLF and LF of any mixture; undefined: not yet. */
export function findHeadEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return undefined;
}
