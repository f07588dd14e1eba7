import { RuntimeError } from '../errors.ts';
import { APPEND_MIN_BYTES, type CallOptions, type ObjectInfo } from './objectStore.ts';
import type { Sweeper } from './sweepUploads.ts';

/** S3's limit on one copied part. Bytes. */
const MAX_PART_BYTES = 5 * 1024 ** 3;
/** How long an upload that failed may take to be taken back. Milliseconds. */
const ABORT_MS = 10_000;

/** The calls of a multipart upload to one key, as an adapter makes them. Parts count from 1. */
export interface MultipartCalls {
  /** Resolves with the upload's id. */
  create(options: CallOptions): Promise<string>;
  /** Copies bytes `start` (inclusive) to `end` (exclusive) of the object itself; `conflict` unless it has the tag. */
  copyPart(
    id: string,
    part: number,
    range: ByteRange,
    ifMatch: string,
    options: CallOptions,
  ): Promise<string>;
  uploadPart(id: string, part: number, bytes: Uint8Array, options: CallOptions): Promise<string>;
  /** `tags` of the parts in order; `conflict` unless the object still has the tag. Resolves with the new one. */
  complete(id: string, tags: readonly string[], ifMatch: string, options: CallOptions): Promise<string>;
  abort(upload: Upload, options: CallOptions): Promise<void>;
  /** Uploads that are open under a prefix; of very many, the first 1,000. */
  list(prefix: string, options: CallOptions): Promise<Upload[]>;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface CopyAppend {
  readonly key: string;
  readonly base: ObjectInfo;
  readonly tail: Uint8Array;
  readonly calls: MultipartCalls;
  readonly sweeper: Sweeper;
}

/**
 * An append that sends only the tail: the store copies the object's old bytes. Between the copy and the end somebody
 * else may write, so the last call is conditional too. A failed upload is aborted: its parts would be kept, and paid
 * for, unseen.
 */
export async function appendByCopy(
  append: CopyAppend,
  options: CallOptions = {},
): Promise<{ readonly etag: string }> {
  const { key, base, tail, calls, sweeper } = append;
  const { signal } = options;
  if (base.size < APPEND_MIN_BYTES) throw tooSmall(key, base.size);
  await sweeper.sweep(key, calls, options);
  const id = await calls.create(options).catch((error: unknown) => {
    // It may have been begun all the same, by an id that was lost with the answer.
    sweeper.forget(key);
    throw error;
  });
  try {
    const tags: string[] = [];
    for (const range of copyRanges(base.size)) {
      tags.push(await calls.copyPart(id, tags.length + 1, range, base.etag, { signal }));
    }
    if (tail.length > 0) tags.push(await calls.uploadPart(id, tags.length + 1, tail, { signal }));
    return { etag: await calls.complete(id, tags, base.etag, { signal }) };
  } catch (error) {
    // A fresh signal: the caller's may be what ended the upload. That the abort fails must not hide why.
    await calls
      .abort({ key, id }, { signal: AbortSignal.timeout(ABORT_MS) })
      .catch(() => sweeper.forget(key));
    throw error;
  }
}

function tooSmall(key: string, size: number): RuntimeError {
  const details = { op: 'store.append', path: key };
  return new RuntimeError('damaged', `${key} is too small to append to: ${size} bytes`, details);
}

/** Equal ranges, so that the last one is not below the least size of a part. */
export function copyRanges(size: number): ByteRange[] {
  const count = Math.ceil(size / MAX_PART_BYTES);
  const length = Math.ceil(size / count);
  return Array.from({ length: count }, (_, part) => ({
    start: part * length,
    end: Math.min(size, (part + 1) * length),
  }));
}
