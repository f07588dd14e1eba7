import type { Logger } from '../../base/log.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { S3Refusal } from './s3Refusal.ts';

/** What each object takes besides its bytes: a file, its folder, what is known of it. */
const OBJECT_BYTES = 4096;
/** What has been removed meanwhile counts again after as much. Milliseconds. */
const COUNT_AGAIN_MS = 10_000;
const TELL_AGAIN_MS = 600_000;

export interface QuotaOptions {
  /** Bytes that a bot may keep in each bucket; undefined: as many as it likes. */
  readonly quotaOf: (bot: string) => number | undefined;
  readonly now: () => number;
  readonly log: Logger;
}

export interface Quotas {
  /** Before a bot's own keys write so many bytes. Throws 507. */
  admit(bucket: string, key: string, store: ObjectStore, bytes: number): Promise<void>;
}

interface Counted {
  used: number;
  at: number;
}

/**
 * What bots keep in the store, which lies on the disk of all: the keys that a bot has are its user's, who may write with them what no agent
 * of ours would. Counted once, and added to from then on; what was removed is seen when there seems to be no room any more.
 */
export function createQuotas({ quotaOf, now, log }: QuotaOptions): Quotas {
  const counts = new Map<string, Promise<Counted>>();
  const told = new Map<string, number>();

  const count = (place: string, store: ObjectStore, prefix: string): Promise<Counted> => {
    const counting = countBelow(store, prefix).then((used) => ({ used, at: now() }));
    counts.set(place, counting);
    counting.catch(() => counts.delete(place));
    return counting;
  };

  return {
    admit: async (bucket, key, store, bytes) => {
      const { bot, prefix } = placeOf(key);
      const quota = quotaOf(bot);
      if (quota === undefined) return;
      const place = `${bucket}/${prefix}`;
      const cost = bytes + OBJECT_BYTES;
      let counted = await (counts.get(place) ?? count(place, store, prefix));
      if (counted.used + cost > quota && now() - counted.at >= COUNT_AGAIN_MS)
        counted = await count(place, store, prefix);
      if (counted.used + cost <= quota) {
        counted.used += cost;
        return;
      }
      if (now() - (told.get(bot) ?? Number.NEGATIVE_INFINITY) >= TELL_AGAIN_MS) {
        told.set(bot, now());
        log.warn(`${bot} keeps all that it may in the store: nothing more of it is saved`, { place, quota });
      }
      throw new S3Refusal(507, 'XMinioStorageFull', `${place} keeps ${counted.used} bytes, of ${quota}`);
    },
  };
}

/** Whose an object is (`credentials/botPolicy`). */
function placeOf(key: string): { readonly bot: string; readonly prefix: string } {
  const [first = '', second = ''] = key.split('/');
  const isLog = first === 'logs' || first === 'usage';
  return isLog ? { bot: second, prefix: `${first}/${second}/` } : { bot: first, prefix: `${first}/` };
}

async function countBelow(store: ObjectStore, prefix: string): Promise<number> {
  let used = 0;
  for await (const { size } of store.list(prefix)) used += size + OBJECT_BYTES;
  return used;
}
