import { createHash } from 'node:crypto';
import { isRuntimeError } from '../../base/errors.ts';
import type { CallOptions, ObjectBody, ObjectInfo, ObjectStore, PutOptions } from '../objectStore.ts';
import { sha256Of, sizeOf } from '../sha256.ts';

/** The tag of the object when it holds exactly these bytes: a write whose answer was lost had happened. */
export async function bodyLanded(
  store: ObjectStore,
  key: string,
  body: ObjectBody,
  options: PutOptions = {},
): Promise<{ readonly etag: string } | undefined> {
  const { signal } = options;
  const sha256 = options.sha256 ?? (await sha256Of(body, { key, signal }));
  return await landed(store, key, { size: sizeOf(body), start: 0, sha256 }, signal);
}

/** The same for an append: the object has grown by exactly the tail. */
export async function tailLanded(
  store: ObjectStore,
  key: string,
  base: ObjectInfo,
  tail: Uint8Array,
  options: CallOptions = {},
): Promise<{ readonly etag: string } | undefined> {
  const sha256 = await sha256Of(tail, { key });
  return await landed(
    store,
    key,
    { size: base.size + tail.length, start: base.size, sha256 },
    options.signal,
  );
}

interface Expected {
  readonly size: number;
  /** From here on the bytes are compared. */
  readonly start: number;
  readonly sha256: string;
}

async function landed(
  store: ObjectStore,
  key: string,
  expected: Expected,
  signal: AbortSignal | undefined,
): Promise<{ readonly etag: string } | undefined> {
  const { size, start, sha256 } = expected;
  try {
    const { etag, size: actual } = await store.head(key, { signal });
    if (actual !== size) return undefined;
    const hash = createHash('sha256');
    if (start < size) {
      const { body } = await store.get(key, { range: { start, end: size }, ifMatch: etag, signal });
      for await (const chunk of body) hash.update(chunk);
    }
    return hash.digest('hex') === sha256 ? { etag } : undefined;
  } catch (error) {
    // Written again or removed meanwhile: ours is not there now.
    if (isRuntimeError(error, 'conflict', 'not-found')) return undefined;
    throw error;
  }
}
