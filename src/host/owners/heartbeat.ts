import { isRuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { getBytes } from '../../store/readAll.ts';

/** One life of a host: from its start to its end. */
export interface Life {
  readonly life: string;
  /** Milliseconds. */
  readonly startedAt: number;
}

/** The one that is not is the copy. */
export function isBefore(a: Life, b: Life): boolean {
  return a.startedAt === b.startedAt ? a.life < b.life : a.startedAt < b.startedAt;
}

export interface Heartbeat {
  /**
   * Says that this host lives. Gives the other life that has said so under the same name since the last time: this one holds the lock
   * on its data folder, so that one works with a copy of it, and lives too. Errors: those of the store.
   */
  beat(signal: AbortSignal): Promise<Life | undefined>;
  /** The host ends in order. */
  end(signal: AbortSignal): Promise<void>;
}

export interface HeartbeatOptions {
  readonly open: () => Promise<ObjectStore>;
  readonly prefix: string;
  /** `OwnerHost.key` */
  readonly key: string;
  readonly own: Life;
}

const MOST_BYTES = 4096;

export function createHeartbeat({ open, prefix, key, own }: HeartbeatOptions): Heartbeat {
  const path = aliveKey(prefix, key);
  let tag: string | undefined;
  let first = true;

  async function found(store: ObjectStore, signal: AbortSignal): Promise<Life | undefined> {
    try {
      const { bytes, etag } = await getBytes(store, path, { maxBytes: MOST_BYTES, signal });
      tag = etag;
      const { life, startedAt } = JSON.parse(bytes.toString()) as Partial<Life>;
      return typeof life === 'string' && typeof startedAt === 'number' ? { life, startedAt } : undefined;
    } catch (error) {
      if (!isRuntimeError(error, 'not-found') && !(error instanceof SyntaxError)) throw error;
      if (isRuntimeError(error)) tag = undefined;
      return undefined;
    }
  }

  return {
    beat: async (signal) => {
      const store = await open();
      // The life before this one has ended: its lock was free.
      if (first) await found(store, signal);
      let other: Life | undefined;
      for (let attempt = 0; ; attempt += 1) {
        const condition = tag === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: tag };
        try {
          const body = Buffer.from(JSON.stringify(own));
          tag = (await store.put(path, body, { ...condition, signal })).etag;
          const double = first ? undefined : other;
          first = false;
          return double;
        } catch (error) {
          if (!isRuntimeError(error, 'conflict', 'not-found') || attempt === 3) throw error;
          const last = await found(store, signal);
          // An answer that was lost is no double.
          if (last !== undefined && last.life !== own.life) other = last;
        }
      }
    },
    end: async (signal) => await (await open()).delete(path, { signal }),
  };
}

/** Which life of a host has said last that it lives; undefined: none, or it has ended in order. */
export async function lastLife(
  store: ObjectStore,
  prefix: string,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { bytes } = await getBytes(store, aliveKey(prefix, key), { maxBytes: MOST_BYTES, signal });
    return (JSON.parse(bytes.toString()) as Partial<Life>).life;
  } catch (error) {
    if (isRuntimeError(error, 'not-found')) return undefined;
    throw error;
  }
}

const ALIVE = 'alive/';

export const aliveKey = (prefix: string, key: string): string => `${prefix}${ALIVE}${key}`;

/** By `OwnerHost.key`: when each host was last heard of, by the store's clock, and what that clock says now. Milliseconds. */
export async function heardOf(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal,
): Promise<{ readonly at: ReadonlyMap<string, number>; readonly now: number }> {
  const at = new Map<string, number>();
  for await (const { key, modified } of store.list(`${prefix}${ALIVE}`, { signal }))
    at.set(key.slice(prefix.length + ALIVE.length), modified);
  return { at, now: await store.now({ signal }) };
}
