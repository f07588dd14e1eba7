import { BlockList } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import { defaultNetworks } from '../engine/docker/networks/networkOptions.ts';
import { openFolderStore } from '../folderStore/openFolderStore.ts';
import type { ServeOptions } from './serveOptions.ts';

export interface ServedFolder {
  /** With the store as sandboxes reach it. */
  readonly config: Config;
  close(): Promise<void>;
}

/** Serves the folder that is the store to sandboxes, which see no folder of this machine; any other store as it is. */
export async function serveFolder(config: Config, options: ServeOptions, log: Logger): Promise<ServedFolder> {
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
    clock: systemClock,
    log,
  });
  return { config: { ...config, store: store.config }, close: store.close };
}
