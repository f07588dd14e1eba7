import { RuntimeError } from '../../base/errors.ts';
import { APPEND_MIN_BYTES, type CallOptions, type ObjectInfo } from '../objectStore.ts';
import type { ByteRange, MultipartCalls } from './multipartCalls.ts';
import type { Sweeper } from './sweepUploads.ts';

/** S3's limit on one copied part. Bytes. */
const MAX_PART_BYTES = 5 * 1024 ** 3;
/** How long an upload that failed may take to be taken back. Milliseconds. */
const ABORT_MS = 10_000;

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
function copyRanges(size: number): ByteRange[] {
  const count = Math.ceil(size / MAX_PART_BYTES);
  const length = Math.ceil(size / count);
  return Array.from({ length: count }, (_, part) => ({
    start: part * length,
    end: Math.min(size, (part + 1) * length),
  }));
}
