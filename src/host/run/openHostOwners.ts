import { randomBytes } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Folders } from '../data/folders.ts';
import type { Engine } from '../engine/engine.ts';
import { createFormerLife } from '../owners/formerLife.ts';
import { type OpenedOwners, openOwners } from '../owners/openOwners.ts';
import { HOSTS_PREFIX } from '../owners/ownersTable.ts';
import type { HostOptions } from './hostOptions.ts';
import type { HostStores } from './openHostStores.ts';

export interface OwnersParts {
  /** Value of the label `runtime.host`. */
  readonly host: string;
  readonly options: HostOptions;
  readonly log: Logger;
  readonly folders: Folders;
  readonly engine: Engine;
  readonly stores: HostStores;
  readonly types: ReadonlySet<string>;
}

/** What this host knows of others of its store; undefined where its engine knows them by other means. */
export function openHostOwners(parts: OwnersParts): OpenedOwners | undefined {
  const { host, options, folders, stores, types, log } = parts;
  const { place } = parts.engine;
  if (place === undefined) return undefined;
  return openOwners({
    host,
    types,
    place,
    open: stores.state,
    prefix: HOSTS_PREFIX,
    file: folders.owners,
    former: createFormerLife(folders.life, folders.data, log),
    lostHost: options['lost-host'],
    life: { life: randomBytes(8).toString('hex'), startedAt: Date.now() },
    clock: systemClock,
    log,
  });
}
