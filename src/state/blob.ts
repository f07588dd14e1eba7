import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { RuntimeError } from '../errors.ts';

const compress = promisify(zstdCompress);
const params = { [constants.ZSTD_c_compressionLevel]: 1 };
/** More than any compression adds, so that the output comes in one piece. */
const ROOM_BYTES = 1024;

/** As stored: zstd where that is shorter than the bytes themselves, else the bytes. */
export async function pack(bytes: Buffer): Promise<Buffer> {
  const chunkSize = bytes.length + (bytes.length >> 7) + ROOM_BYTES;
  const packed = await compress(bytes, { params, chunkSize, pledgedSrcSize: bytes.length });
  return packed.length < bytes.length ? packed : bytes;
}

/** What `pack` was given, `size` bytes; `damaged` (naming `where`) when it cannot be. */
export function unpack(stored: Buffer, size: number, where: string): Buffer {
  if (stored.length === size) return stored;
  try {
    // In one piece, with room for a byte more than there should be, so that a longer one is noticed. Synchronous: the way to
    // the thread pool and back costs the main thread as much.
    return zstdDecompressSync(stored, { maxOutputLength: size, chunkSize: Math.max(64, size + 1) });
  } catch (cause) {
    throw damaged(where, cause);
  }
}

/** The bytes of a blob that must have this size and hash; `damaged` (naming `where`) when it does not. */
export function decodeBlob(stored: Buffer, expected: { size: number; hash: Buffer }, where: string): Buffer {
  return checkBlob(unpack(stored, expected.size, where), expected, where);
}

/** Throws `damaged` (naming `where`) unless these are the bytes of that blob. */
export function checkBlob(bytes: Buffer, expected: { size: number; hash: Buffer }, where: string): Buffer {
  if (bytes.length === expected.size && digest('sha256', bytes, 'buffer').equals(expected.hash)) return bytes;
  throw damaged(where);
}

function damaged(where: string, cause?: unknown): RuntimeError {
  const message = `a blob in ${where} is not what it was`;
  return new RuntimeError('damaged', message, { op: 'state.read', path: where, cause });
}
