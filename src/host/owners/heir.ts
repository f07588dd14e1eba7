import type { ObjectStore } from '../../store/objectStore.ts';
import type { FormerLife, Known } from './formerLife.ts';
import { aliveKey, lastLife } from './heartbeat.ts';

/** Takes the place of the life before this one, where that was known as another: its engine was made anew, or its machine renamed. */
export interface Heir {
  /** This life is known as `own`. */
  arrive(own: Known): void;
  /** `OwnerHost.key` of the life before; undefined: there is none whose place is to be taken. */
  readonly key: string | undefined;
  /** Believes nothing any more where somebody else is known as that. */
  check(limit: AbortSignal): Promise<void>;
  /** What that one had is written down as this one's. */
  done(limit: AbortSignal): Promise<void>;
}

export function createHeir(former: FormerLife, open: () => Promise<ObjectStore>, prefix: string): Heir {
  let me: Known | undefined;
  let before: Known | undefined;
  let isRemembered = false;
  return {
    arrive: (own) => {
      me = own;
      const kept = former.recall();
      before = kept?.key === own.key ? undefined : kept;
    },
    get key() {
      return before?.key;
    },
    check: async (limit) => {
      if (before === undefined) return;
      const life = await lastLife(await open(), prefix, before.key, limit);
      if (life !== undefined && life !== before.life) before = undefined;
    },
    done: async (limit) => {
      if (before !== undefined) await (await open()).delete(aliveKey(prefix, before.key), { signal: limit });
      before = undefined;
      if (!isRemembered && me !== undefined) former.remember(me);
      isRemembered = true;
    },
  };
}
