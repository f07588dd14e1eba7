import { createHash } from 'node:crypto';
import { isRuntimeError } from '../../../base/errors.ts';
import { APPEND_MIN_BYTES, type CallOptions, type ObjectStore } from '../../../store/objectStore.ts';
import type { KnownObject, ShipIntent } from './shipRecord.ts';

/** A day's object. It only ever grows at its end, whoever writes it. */
export interface DayObjects {
  /** The object as it is now; undefined: there is none. */
  look(key: string, options: CallOptions): Promise<KnownObject | undefined>;
  /** Puts `tail` after exactly `base`; `conflict` or `not-found` when the object is another by now. */
  extend(
    key: string,
    base: KnownObject | undefined,
    tail: Buffer,
    options: CallOptions,
  ): Promise<KnownObject>;
  /** Whether the intended bytes are in the object where they were meant to go. */
  holds(object: KnownObject, intent: ShipIntent, options: CallOptions): Promise<boolean>;
}

/** Up to this size the object is remembered, so that it need not be read to be put again. Bytes. */
const MAX_REMEMBERED = 1024 * 1024;

export function createDayObjects(store: ObjectStore): DayObjects {
  let remembered: { readonly etag: string; readonly bytes: Buffer } | undefined;

  const read = async (base: KnownObject, options: CallOptions): Promise<Buffer> => {
    if (remembered?.etag === base.etag) return remembered.bytes;
    const { body } = await store.get(base.key, { ...options, ifMatch: base.etag });
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  return {
    look: async (key, options) => {
      try {
        const { etag, size } = await store.head(key, options);
        return { key, etag, size };
      } catch (error) {
        if (isRuntimeError(error, 'not-found')) return undefined;
        throw error;
      }
    },

    extend: async (key, base, tail, options) => {
      const size = (base?.size ?? 0) + tail.length;
      if (base !== undefined && base.size >= APPEND_MIN_BYTES) {
        remembered = undefined;
        const { etag } = await store.append(key, { ...base, modified: 0 }, tail, options);
        return { key, etag, size };
      }
      const bytes = base === undefined ? tail : Buffer.concat([await read(base, options), tail]);
      const condition = base === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: base.etag };
      const contentType = 'application/x-ndjson';
      const { etag } = await store.put(key, bytes, { ...options, ...condition, contentType });
      remembered = bytes.length <= MAX_REMEMBERED ? { etag, bytes } : undefined;
      return { key, etag, size };
    },

    holds: async (object, { base, size, sha256 }, options) => {
      const start = base?.size ?? 0;
      if (object.etag === base?.etag || object.size < start + size) return false;
      const range = { start, end: start + size };
      // Of whatever is there by now: these bytes do not change any more.
      const { body } = await store.get(object.key, { ...options, range });
      const hash = createHash('sha256');
      for await (const chunk of body) hash.update(chunk);
      return hash.digest('hex') === sha256;
    },
  };
}
