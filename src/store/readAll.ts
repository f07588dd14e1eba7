import { RuntimeError } from '../base/errors.ts';
import type { GetOptions, ObjectStore, StoredObject } from './objectStore.ts';

/**
 * All bytes of a body in memory. `damaged` when the object is larger than `maxBytes`, or when the body is not as long
 * as was announced; `expected` is its length where only a range was asked for.
 */
export async function readAll(
  stored: StoredObject,
  maxBytes: number,
  expected = stored.size,
): Promise<Buffer> {
  const { key, body } = stored;
  if (expected > maxBytes) {
    body.destroy();
    throw damaged(key, `it has ${expected} bytes, and at most ${maxBytes} are allowed`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > expected) throw damaged(key, `it is longer than the ${expected} bytes announced`);
    chunks.push(chunk);
  }
  if (length < expected) throw damaged(key, `it ended after ${length} of ${expected} bytes`);
  return Buffer.concat(chunks, length);
}

export interface GetBytesOptions extends GetOptions {
  readonly maxBytes: number;
}

/** An object, or a range of it, in memory, with its tag. */
export async function getBytes(
  store: ObjectStore,
  key: string,
  options: GetBytesOptions,
): Promise<{ readonly bytes: Buffer; readonly etag: string; readonly size: number }> {
  const stored = await store.get(key, options);
  const { range } = options;
  const expected = range ? Math.min(range.end, stored.size) - range.start : stored.size;
  const bytes = await readAll(stored, options.maxBytes, expected);
  return { bytes, etag: stored.etag, size: stored.size };
}

function damaged(key: string, problem: string): RuntimeError {
  return new RuntimeError('damaged', `${key}: ${problem}`, { op: 'store.get', path: key });
}
