import { Readable } from 'node:stream';
import type { ObjectBody, ObjectStore } from '../store/objectStore.ts';

/** Bodies are handed to the store in pieces of this size, so that a slow upload is seen to move. Bytes. */
const PIECE_BYTES = 256 * 1024;

/** The same store, telling whenever bytes have moved: what is slow is to be told from what stands still. */
export function observeProgress(store: ObjectStore, onProgress: () => void): ObjectStore {
  const told = async <T>(call: Promise<T>): Promise<T> => {
    const result = await call;
    onProgress();
    return result;
  };
  const watched = (body: ObjectBody): ObjectBody => {
    if (!(body instanceof Uint8Array) || body.length <= PIECE_BYTES) return body;
    return { size: body.length, open: () => Readable.from(pieces(body, onProgress)) };
  };
  return {
    ...store,
    get: (key, options) => told(store.get(key, options)),
    head: (key, options) => told(store.head(key, options)),
    put: (key, body, options) => told(store.put(key, watched(body), options)),
    append: (key, base, tail, options) => told(store.append(key, base, tail, options)),
    delete: (key, options) => told(store.delete(key, options)),
  };
}

function* pieces(body: Uint8Array, onProgress: () => void): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    onProgress();
    yield body.subarray(at, at + PIECE_BYTES);
  }
}
