import { BlockList } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import { defaultNetworks } from '../engine/docker/networks/networkOptions.ts';
import { openFolderStore } from '../folderStore/openFolderStore.ts';
import type { ServeOptions } from './serveOptions.ts';

/** Of each: its journal is kept for days. */
const LOGS_BYTES = 2 ** 30;

export interface ServedFolder {
  /** With the store as sandboxes reach it. */
  readonly config: Config;
  close(): Promise<void>;
}

/** Serves the folder that is the store to sandboxes, which see no folder of this machine; any other store as it is. */
export async function serveFolder(
  config: Config,
  options: ServeOptions,
  log: Logger,
  diskOf: (bot: string) => number | undefined,
): Promise<ServedFolder> {
  if (config.store.type !== 'file') return { config, close: async () => undefined };
  const own = new BlockList();
  if (defaultNetworks.type === 'own') {
    const [address = '', bits] = defaultNetworks.pool.split('/');
    own.addSubnet(address, Number(bits));
  }
  const store = await openFolderStore({
    path: config.store.path,
    port: options['store-port'],
    // A network that the operator names may be any.
    servesAt: (address) => options.network !== '' || own.check(address),
    quotaOf: (bot) => {
      const disk = diskOf(bot);
      // Its snapshots, were all of them of other bytes, one that is being published and one that is being removed; its logs.
      return disk && disk * (config.sync.keep + 2) + LOGS_BYTES;
    },
    clock: systemClock,
    log,
  });
  return { config: { ...config, store: store.config }, close: store.close };
}
