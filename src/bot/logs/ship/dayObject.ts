import { createHash } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { sha256 } from '../../../base/sha256.ts';
import { APPEND_MIN_BYTES, type CallOptions, type ObjectStore } from '../../../store/objectStore.ts';
import { readDay } from './readDay.ts';
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
  /**
   * Copies the object, within the store, to a name of its own (`<day>.damaged-<hash>.log`), so that it can be begun anew: by what it resolves with as
   * the base.
   */
  setAside(
    base: KnownObject,
    options: CallOptions,
  ): Promise<{ readonly aside: string; readonly base: KnownObject }>;
  /** Whether the intended bytes are in the object where they were meant to go. */
  holds(object: KnownObject, intent: ShipIntent, options: CallOptions): Promise<boolean>;
}

/** One wrong answer of what is between us and the store would have the lines written twice. */
const LOOKS = 2;

/** Up to this size the object is remembered, so that it need not be read to be put again. Bytes. */
const MAX_REMEMBERED = 1024 * 1024;

export function createDayObjects(store: ObjectStore): DayObjects {
  let remembered: { readonly etag: string; readonly bytes: Buffer } | undefined;

  const read = async (base: KnownObject, options: CallOptions): Promise<Buffer> => {
    if (remembered?.etag === base.etag) return remembered.bytes;
    return await readDay(store, base, options);
  };

  return {
    look: async (key, options) => {
      try {
        // Of larger ones it is of no use: they are not read.
        const checksum = { below: APPEND_MIN_BYTES };
        const { etag, size, sha256 } = await store.head(key, { ...options, checksum });
        return { key, etag, size, sha256 };
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
      // What was there of one that was set aside is kept elsewhere.
      const isNew = base === undefined || base.size === 0;
      const bytes = isNew ? tail : Buffer.concat([await read(base, options), tail]);
      const condition = base === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: base.etag };
      const contentType = 'application/x-ndjson';
      const sum = sha256(bytes);
      const { etag } = await store.put(key, bytes, { ...options, ...condition, contentType, sha256: sum });
      remembered = bytes.length <= MAX_REMEMBERED ? { etag, bytes } : undefined;
      return { key, etag, size, sha256: sum };
    },

    setAside: async ({ key, etag, size }, options) => {
      const aside = key.replace(/\.log$/, `.damaged-${sha256(etag).slice(0, 8)}.log`);
      await store.copy(key, aside, options);
      const copy = await store.head(aside, options);
      if (copy.size < size)
        throw new RuntimeError('unavailable', `${aside} has ${copy.size} bytes, and ${key} has ${size}`, {
          op: 'logs.ship',
          path: aside,
          retryable: true,
        });
      return { aside, base: { key, etag, size: 0 } };
    },

    holds: async (object, { base, size, sha256: wanted }, options) => {
      const start = base?.size ?? 0;
      if (object.etag === base?.etag || object.size < start + size) return false;
      const range = { start, end: start + size };
      for (let looks = 0; looks < LOOKS; looks++) {
        // Of whatever is there by now: these bytes do not change any more.
        const { body } = await store.get(object.key, { ...options, range });
        const hash = createHash('sha256');
        for await (const chunk of body) hash.update(chunk);
        if (hash.digest('hex') === wanted) return true;
      }
      return false;
    },
  };
}
