import { hash as digest } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { RuntimeError } from '../../../base/errors.ts';

/** More than any compression adds, so that the output comes in one piece. */
const ROOM_BYTES = 1024;

/** As stored: zstd where that is shorter than the bytes themselves, else the bytes. */
export async function pack(bytes: Buffer): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const chunkSize = bytes.length + (bytes.length >> 7) + ROOM_BYTES;
  const packed = await promisify(zstdCompress)(bytes, { params, chunkSize, pledgedSrcSize: bytes.length });
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

/** A blob of an unpacked frame; throws `damaged` (naming `where`) unless its bytes are what they were. */
export function blobOf(
  frame: Buffer,
  { position, size, hash }: { readonly position: number; readonly size: number; readonly hash: Buffer },
  where: string,
): Buffer {
  const bytes = frame.subarray(position, position + size);
  if (bytes.length === size && digest('sha256', bytes, 'buffer').equals(hash)) return bytes;
  throw damaged(where);
}

function damaged(where: string, cause?: unknown): RuntimeError {
  const message = `a blob in ${where} is not what it was`;
  return new RuntimeError('damaged', message, { op: 'state.read', path: where, cause });
}
