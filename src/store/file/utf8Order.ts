/** The order in which S3 lists keys. JavaScript's own is by UTF-16 unit, which differs above U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
