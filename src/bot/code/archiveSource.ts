import { fstatSync, readSync } from 'node:fs';
import { refused } from './refused.ts';
import type { SecondThread } from './twoThreads.ts';

/** An archive's bytes, wherever they lie. Reads are synchronous: they are short, and from memory or page cache. */
export interface ArchiveSource {
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes; an archive that ends before is refused. */
  read(position: number, length: number): Buffer;
  /** Of one that is still on its way: resolves when the bytes before `end` are there; undefined: they are. Others cannot be read. */
  readonly arrived?: ((end: number) => Promise<void> | undefined) | undefined;
  /** Where it pays: half of the work is its. */
  readonly secondThread?: SecondThread | undefined;
}

export function bufferSource(bytes: Uint8Array): ArchiveSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: buffer.length,
    read: (position, length) => {
      checkRange(position, length, buffer.length);
      return buffer.subarray(position, position + length);
    },
  };
}

/** The caller keeps `fd` open while the source is used, and closes it. */
export function fileSource(fd: number): ArchiveSource {
  const { size } = fstatSync(fd);
  return {
    size,
    read: (position, length) => {
      checkRange(position, length, size);
      const buffer = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const count = readSync(fd, buffer, done, length - done, position + done);
        if (count === 0) throw refused('the file became shorter while it was read');
        done += count;
      }
      return buffer;
    },
  };
}

/** The bytes from `start` to `end` (exclusive) in pieces of at most 256 KiB. */
export function* pieces(source: ArchiveSource, start: number, end: number): Generator<Buffer> {
  for (let position = start; position < end; position += PIECE) {
    yield source.read(position, Math.min(PIECE, end - position));
  }
}

const PIECE = 256 * 1024;

export function checkRange(position: number, length: number, size: number): void {
  if (!(position >= 0 && length >= 0 && position + length <= size)) {
    throw refused('it is truncated, or an offset in it is wrong');
  }
}
