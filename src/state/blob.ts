import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { RuntimeError } from '../errors.ts';

const compress = promisify(zstdCompress);
const params = { [constants.ZSTD_c_compressionLevel]: 1 };
/** More than any compression adds, so that the output comes in one piece. */
const ROOM_BYTES = 1024;

/** As stored: a zstd frame where that is shorter than the bytes themselves, else the bytes. */
export async function encodeBlob(bytes: Buffer): Promise<Buffer> {
  const chunkSize = bytes.length + (bytes.length >> 7) + ROOM_BYTES;
  const frame = await compress(bytes, { params, chunkSize, pledgedSrcSize: bytes.length });
  return frame.length < bytes.length ? frame : bytes;
}

/** The bytes of a blob that must have this size and hash; `damaged` (naming `where`) when it does not. */
export function decodeBlob(stored: Buffer, expected: { size: number; hash: Buffer }, where: string): Buffer {
  let bytes = stored;
  try {
    if (stored.length !== expected.size) bytes = decompress(stored, expected.size);
  } catch (cause) {
    throw damaged(where, cause);
  }
  if (bytes.length === expected.size && digest('sha256', bytes, 'buffer').equals(expected.hash)) return bytes;
  throw damaged(where);
}

function decompress(stored: Buffer, size: number): Buffer {
  // In one piece: a byte more than it should have, so that a longer one is noticed.
  return zstdDecompressSync(stored, { maxOutputLength: size, chunkSize: Math.max(64, size + 1) });
}

function damaged(where: string, cause?: unknown): RuntimeError {
  const message = `a blob in ${where} is not what it was`;
  return new RuntimeError('damaged', message, { op: 'state.read', path: where, cause });
}
