import { Readable } from 'node:stream';
import type { ObjectBody, ObjectStore } from '../../store/objectStore.ts';

/** What is handed to the connection at a time; a pack is up to 16 MiB, and a slow line takes minutes for one. */
const CHUNK_BYTES = 64 * 1024;

/** The same store; `onMoved` is called as the bytes of bodies leave, and with every answer. */
export function watchProgress(store: ObjectStore, onMoved: () => void): ObjectStore {
  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    const result = await answer;
    onMoved();
    return result;
  };
  const watched = (body: ObjectBody): ObjectBody => {
    if (body instanceof Uint8Array && body.length <= CHUNK_BYTES) return body;
    const size = body instanceof Uint8Array ? body.length : body.size;
    return { size, open: () => Readable.from(moving(body, onMoved), { objectMode: false }) };
  };
  return {
    name: store.name,
    get: (key, options) => answered(store.get(key, options)),
    head: (key, options) => answered(store.head(key, options)),
    put: (key, body, options) => answered(store.put(key, watched(body), options)),
    append: (key, base, tail, options) => answered(store.append(key, base, tail, options)),
    copy: (from, to, options) => answered(store.copy(from, to, options)),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => answered(store.delete(key, options)),
    now: (options) => answered(store.now(options)),
    close: () => store.close(),
  };
}

async function* moving(body: ObjectBody, onMoved: () => void): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length; at += CHUNK_BYTES) {
      onMoved();
      yield body.subarray(at, at + CHUNK_BYTES);
    }
    return;
  }
  for await (const chunk of body.open()) {
    onMoved();
    yield chunk as Uint8Array;
  }
}
