import { hash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { isRuntimeError, systemCode } from '../../../base/errors.ts';
import type { EntryPath } from '../format/entryPath.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import { openBeneath, type TreeRoot, unscannable } from './treeRoot.ts';

/** Where blocks go. `add` keeps its own copy of the bytes if it needs them, and answers with the blob's row. */
export interface BlobSink {
  add(hash: Buffer, bytes: Uint8Array): number;
}

export interface FileContent {
  /** Rows; −n stands for n blocks of zeros. */
  readonly blobs: readonly number[];
  /** Bytes that were there to read; at most what `lstat` had said. */
  readonly size: number;
}

/**
 * A file's content block by block, up to `size` bytes. Yields after each block, so that the caller can wait for the
 * sink or give up; returns undefined when the file is gone. `buffer` holds one block.
 */
export function* readBlocks(
  root: TreeRoot,
  path: EntryPath,
  size: number,
  buffer: Buffer,
  sink: BlobSink,
): Generator<number, FileContent | undefined> {
  const fd = openBeneath(root, path, 'file');
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const blobs: number[] = [];
    let position = 0;
    while (position < size) {
      const length = readFully(fd, buffer, Math.min(BLOCK_BYTES, size - position), position);
      if (length === 0) break;
      const bytes = buffer.subarray(0, length);
      if (!isZero(bytes)) blobs.push(sink.add(hash('sha256', bytes, 'buffer'), bytes));
      else if ((blobs.at(-1) ?? 0) < 0) blobs[blobs.length - 1]! -= 1;
      else blobs.push(-1);
      position += length;
      if (length < BLOCK_BYTES) break;
      yield position;
    }
    return { blobs, size: position };
  } catch (error) {
    if (systemCode(error) === undefined || isRuntimeError(error)) throw error;
    throw unscannable(`${root.path}/${path}`, systemCode(error)!, error);
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, buffer: Buffer, length: number, position: number): number {
  let read = 0;
  while (read < length) {
    const count = readSync(fd, buffer, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return read;
}

const zeros = Buffer.alloc(4096);

/** Pages are compared one after the other: real data differs in its first. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const page = bytes.subarray(at, at + zeros.length);
    if (zeros.compare(page, 0, page.length, 0, page.length) !== 0) return false;
  }
  return true;
}
