import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { RuntimeError } from '../errors.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const params = { [constants.ZSTD_c_compressionLevel]: 1 };
/** More than any compression adds, so that the output comes in one piece. */
const ROOM_BYTES = 1024;
/** Less is not worth the way to the thread pool. */
const POOLED_BYTES = 128 * 1024;

/** As stored: zstd where that is shorter than the bytes themselves, else the bytes. */
export async function pack(bytes: Buffer): Promise<Buffer> {
  const chunkSize = bytes.length + (bytes.length >> 7) + ROOM_BYTES;
  const packed = await compress(bytes, { params, chunkSize, pledgedSrcSize: bytes.length });
  return packed.length < bytes.length ? packed : bytes;
}

/** What `pack` was given, `size` bytes; `damaged` (naming `where`) when it cannot be. */
export async function unpack(stored: Buffer, size: number, where: string): Promise<Buffer> {
  if (stored.length === size) return stored;
  try {
    const bytes = await (size < POOLED_BYTES
      ? zstdDecompressSync(stored, bounds(size))
      : decompress(stored, bounds(size)));
    if (bytes.length === size) return bytes;
  } catch (cause) {
    throw damaged(where, cause);
  }
  throw damaged(where);
}

/** The bytes of a blob that must have this size and hash; `damaged` (naming `where`) when it does not. */
export function decodeBlob(stored: Buffer, expected: { size: number; hash: Buffer }, where: string): Buffer {
  let bytes = stored;
  try {
    if (stored.length !== expected.size) bytes = zstdDecompressSync(stored, bounds(expected.size));
  } catch (cause) {
    throw damaged(where, cause);
  }
  return checkBlob(bytes, expected, where);
}

/** Throws `damaged` (naming `where`) unless these are the bytes of that blob. */
export function checkBlob(bytes: Buffer, expected: { size: number; hash: Buffer }, where: string): Buffer {
  if (bytes.length === expected.size && digest('sha256', bytes, 'buffer').equals(expected.hash)) return bytes;
  throw damaged(where);
}

/** In one piece: room for a byte more than it should have, so that a longer one is noticed. */
const bounds = (size: number) => ({ maxOutputLength: size, chunkSize: Math.max(64, size + 1) });

function damaged(where: string, cause?: unknown): RuntimeError {
  const message = `a blob in ${where} is not what it was`;
  return new RuntimeError('damaged', message, { op: 'state.read', path: where, cause });
}
