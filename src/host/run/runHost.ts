import { availableParallelism } from 'node:os';
import { build } from '../../base/build.ts';
import { systemClock } from '../../base/clock.ts';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import { openCredentials } from '../credentials/openCredentials.ts';
import { reachStore } from '../credentials/reachStore.ts';
import { createFolders } from '../data/folders.ts';
import type { HowDisks } from '../data/holdDisks.ts';
import { openUsers } from '../data/openUsers.ts';
import { readStopped } from '../data/readStopped.ts';
import { defaultNetworks } from '../engine/docker/networks/networkOptions.ts';
import { openDocker } from '../engine/docker/openDocker.ts';
import { openCodeCache } from '../instances/codeCache.ts';
import { openInstances } from '../instances/openInstances.ts';
import { openJournal } from '../journal/openJournal.ts';
import { createLoop } from '../loop/createLoop.ts';
import { createDiskUse } from '../loop/diskUse.ts';
import { createHostFull } from '../loop/hostFull.ts';
import { openRecords } from '../loop/openRecords.ts';
import { openWavesFile } from '../loop/wavesFile.ts';
import { followImage } from './followImage.ts';
import type { OpenGuests } from './guests.ts';
import { hostIdentity } from './hostIdentity.ts';
import { createHostMetrics } from './hostMetrics.ts';
import { type HostOptions, typesOf } from './hostOptions.ts';
import { keepHouse } from './keepHouse.ts';
import { keepOwners } from './keepOwners.ts';
import { lockData } from './lockData.ts';
import { openHeldDisks } from './openHeldDisks.ts';
import { openHostOwners } from './openHostOwners.ts';
import { openHostStores } from './openHostStores.ts';
import { openRollbacks } from './openRollbacks.ts';
import { openSource } from './openSource.ts';
import { restDisks } from './restDisks.ts';
import { revokeKeys } from './revokeKeys.ts';
import { serveHost } from './serveHost.ts';
import { sharedEnv } from './sharedEnv.ts';
import { startHealth } from './startHealth.ts';
import { systemTimers } from './systemTimers.ts';
import { tellNextTimes } from './tellNextTimes.ts';
import { watchDisks } from './watchDisks.ts';

/**
 * The room where a host is put together, in the order in which it starts; it ends in the opposite one.
 *
 *   1. `hostOptions`, `loadHost`   flags and environment, checked
 *   2. `lockData`, `hostIdentity`  one host per data folder, and its name on the engine
 *   3. `reachStore`, `openSource`  the store as bots reach it, and where bots are wanted
 *   4. engine, credentials, instances, records, owners, loop, gateway, operator's socket, `startHealth`
 *   5. `keepOwners`, `followImage`, `watchDisks`, `restDisks`, `keepHouse`, `revokeKeys`   what is looked after as long as it runs
 */

export interface RunHost {
  readonly options: HostOptions;
  readonly config: Config;
  readonly env: Env;
  readonly cwd: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly share?: Share;
  /** Instead of `--bots`: another platform says what is wanted. */
  readonly guests?: OpenGuests;
  /** Set: what bots write lies on disks of their own, or is at least watched. */
  readonly disks?: HowDisks;
}

/** What hosts have in common that each look after a part of the same bots, beside one another. */
export interface Share {
  /** Where the name on the engine and the key are kept. */
  readonly folder: string;
  /** Users from here on are this part's. */
  readonly firstUid: number;
}

/** For the store to hear that the host ends. Milliseconds. */
const END_MS = 2_000;

/**
 * The whole host, from its lock to its last word. It may be killed anywhere: whatever it has to know when it comes back is on
 * disk or in the engine, and it stops no bot by ending.
 */
export async function runHost(run: RunHost): Promise<void> {
  const { options, config, env, cwd, log, signal, share } = run;
  await using closing = new AsyncDisposableStack();
  const now = () => Date.now();
  const random = Math.random;
  const folders = createFolders(options.data, run.disks !== undefined);
  const lock = await lockData(folders);
  closing.defer(() => lock.close());
  const identity = hostIdentity(folders, share?.folder ?? folders.data);
  const journal = openJournal(folders.journal, now);
  closing.defer(() => journal.close());
  const disks = run.disks && (await openHeldDisks(folders, run.disks, log));
  const { records, damaged, close } = openRecords(folders, now, disks);
  closing.defer(close);

  const stores = openHostStores(config, closing);
  const guests = await run.guests?.({ folders, id: identity.id, tokenKey: identity.tokenKey, stores });
  const source =
    guests?.source ?? (await openSource(options.bots, { ...stores, cwd, env, clock: systemClock, log }));
  const access = reachStore(config.store, env.MINIO_CONTAINER_ENDPOINT || undefined);
  const networks = options.network
    ? ({ type: 'existing', name: options.network } as const)
    : { ...defaultNetworks, reachable: [access.reachable] };
  const socket = env.DOCKER_HOST || undefined;
  const engine = await openDocker({ host: identity.id, socket, networks, clock: systemClock, log });
  closing.defer(() => engine.close());
  const credentials = openCredentials({
    store: config.store,
    endpoint: access.endpoint,
    buckets: config.buckets,
    folder: folders.credentials,
    clock: systemClock,
    log,
  });
  closing.defer(() => credentials.close());

  const codeCache = openCodeCache({
    folders,
    store: stores.code,
    maxBytes: config.code.maxBytes,
    warn: (message) => log.warn(message),
  });
  const { image, secrets } = options;
  const users = openUsers(folders, share?.firstUid);
  const shared = sharedEnv(env, config.buckets);
  const instances = openInstances({
    engine,
    credentials,
    folders,
    users,
    disks,
    code: codeCache,
    image,
    shared,
    secrets,
    tokenKey: identity.tokenKey,
    ...(guests && { secretEnv: guests.secretEnv }),
  });
  const rollbacks = openRollbacks({
    state: stores.state,
    source,
    here: { folders, users, disks },
    clock: systemClock,
    log,
  });
  const types = typesOf(options);
  const owners =
    guests || types.size === 0
      ? undefined
      : openHostOwners({ host: identity.id, options, folders, engine, stores, types, log });
  closing.defer(() => owners?.end(AbortSignal.timeout(END_MS)).catch(() => undefined));
  const metrics = createHostMetrics();
  journal.subscribe(metrics.event);
  const diskUse = createDiskUse();
  const cores = availableParallelism();
  const loop = createLoop({
    engine,
    instances,
    records,
    rollbacks,
    damaged,
    waves: openWavesFile(folders),
    journal,
    clock: systemClock,
    timers: systemTimers,
    log,
    slots: { code: 4, start: options['start-slots'] || Math.min(8, Math.max(2, cores)), end: 16 },
    allowMassDelete: options['allow-mass-delete'],
    types,
    owners,
    hostFull: createHostFull(options.data, now),
    diskUse,
    saysStopped: (bot) => readStopped(folders, bot),
    random,
    draining: identity.draining,
    readyAfterMs: 5_000,
    observe: metrics.observe,
  });
  closing.defer(revokeKeys(loop, credentials));
  const { api, isReady, queryPort } = await serveHost({
    options,
    loop,
    owners,
    engine,
    instances,
    rollbacks,
    source,
    journal,
    state: stores.state,
    tokenKey: identity.tokenKey,
    keepDraining: identity.keepDraining,
    metrics,
    log,
    closing,
    waiting: { size: options['query-workers'], folder: folders.workers },
  });
  const health = guests ? undefined : await startHealth(options['health-port'], isReady, metrics.registry);
  closing.defer(() => health?.close());

  const message = `host ${identity.id} with ${source.label} on ${engine.name}; ${credentials.description}`;
  journal.write({ type: 'host-started', bot: undefined, message, facts: { version: build.version } });
  log.info(message, { ...(health && { health: health.port }), queries: queryPort });
  await Promise.all([
    loop.run(signal),
    source.run(loop.observer, signal),
    owners && keepOwners({ owners, loop, types, journal, now }, signal),
    tellNextTimes({ loop, source, clock: systemClock, log }, signal),
    followImage({ image, instances, loop, journal, clock: systemClock, log }, signal),
    watchDisks({ folders, disks, diskUse, loop, journal, clock: systemClock, log, random }, signal),
    disks && restDisks({ disks, loop, clock: systemClock, log }, signal),
    keepHouse({ folders, codeCache, instances, loop, clock: systemClock, log }, signal),
    guests?.serve({ api, id: identity.id, engine, isReady, registry: metrics.registry, closing }),
  ]);
  log.info('the host ends; what runs keeps running');
}
