import { systemClock } from '../../base/clock.ts';
import type { Config } from '../../bot/config/config.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { openStores } from '../../store/openStores.ts';

/** The store as a host asks it: once, since the loop backs off by itself, and a bot that waited here would hold a slot. */
export interface HostStores {
  code(): Promise<ObjectStore>;
  state(): Promise<ObjectStore>;
  logs(): Promise<ObjectStore>;
  /** Any bucket. */
  bucket(name: string): Promise<ObjectStore>;
}

/** All of them are closed by `closing`. */
export function openHostStores(config: Config, closing: AsyncDisposableStack): HostStores {
  const open = (one: Parameters<typeof openStores>[0]) => {
    const stores = openStores(one, { clock: systemClock, random: Math.random });
    closing.defer(() => stores.close());
    return stores;
  };
  // A folder with a bot is packed and uploaded: on a store that is new there is no bucket for it yet.
  const stores = open({ ...config, createCodeBucket: true });
  return {
    code: () => stores.open('code', 0),
    state: () => stores.open('state', 0),
    logs: () => stores.open('logs', 0),
    bucket: (name) => open({ ...config, buckets: { ...config.buckets, code: name } }).open('code', 0),
  };
}
