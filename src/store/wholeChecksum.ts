/** Hex, of a checksum as S3 has it: base64; undefined for one of parts (`…-3`), which says nothing about the whole. */
export function wholeChecksum(base64: unknown): string | undefined {
  if (typeof base64 !== 'string' || base64.length !== 44) return undefined;
  return Buffer.from(base64, 'base64').toString('hex');
}
