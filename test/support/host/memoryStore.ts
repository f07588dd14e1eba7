import { Readable } from 'node:stream';
import { RuntimeError } from '../../../src/base/errors.ts';
import type { ObjectInfo, ObjectStore } from '../../../src/store/objectStore.ts';

interface Kept {
  readonly info: ObjectInfo;
  readonly bytes: Buffer;
}

/** A bucket in memory: nothing but time itself passes while it answers. `now`: its clock. What it cannot do is not asked in these tests. */
export function memoryStore(now: () => number): ObjectStore {
  const objects = new Map<string, Kept>();
  let writes = 0;
  const missing = (key: string) => new RuntimeError('not-found', `${key} is not there`);
  const found = (key: string): Kept => {
    const kept = objects.get(key);
    if (kept === undefined) throw missing(key);
    return kept;
  };
  const never = (): never => {
    throw new Error('not asked in these tests');
  };
  return {
    name: 'memory',
    get: async (key) => {
      const { info, bytes } = found(key);
      return { ...info, body: Readable.from([bytes]) };
    },
    head: async (key) => found(key).info,
    put: async (key, body, { ifMatch, ifNoneMatch } = {}) => {
      const before = objects.get(key);
      if (ifNoneMatch !== undefined && before !== undefined) throw new RuntimeError('conflict', key);
      if (ifMatch !== undefined && before?.info.etag !== ifMatch)
        throw before === undefined ? missing(key) : new RuntimeError('conflict', key);
      const bytes = Buffer.from(body as Uint8Array);
      writes += 1;
      const etag = `${writes}`;
      objects.set(key, { bytes, info: { key, size: bytes.length, etag, modified: now() } });
      return { etag };
    },
    list: async function* (prefix) {
      for (const [key, { info }] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1)))
        if (key.startsWith(prefix)) yield info;
    },
    delete: async (key) => void objects.delete(key),
    now: async () => now(),
    append: never,
    copy: never,
    close: () => undefined,
  };
}
