import { randomBytes } from 'node:crypto';
import { build } from '../../../base/build.ts';
import { systemClock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { keepHeapSmall } from '../../../base/keepHeapSmall.ts';
import type { Logger } from '../../../base/log.ts';
import { releaseWhenQuiet } from '../../../base/releaseWhenQuiet.ts';
import { createFolders } from '../../data/folders.ts';
import { openJournal } from '../../journal/openJournal.ts';
import { createKubeClient, type KubeClient } from '../../kubernetes/kubeClient.ts';
import { openAccess } from '../../kubernetes/openAccess.ts';
import { type Lease, openLease } from '../../kubernetes/openLease.ts';
import { createLoop } from '../../loop/createLoop.ts';
import { createDiskUse } from '../../loop/diskUse.ts';
import { openClusterRecords } from '../../loop/openClusterRecords.ts';
import type { Records } from '../../reconcile/records.ts';
import { createHostMetrics, type HostMetrics } from '../hostMetrics.ts';
import { typesOf } from '../hostOptions.ts';
import { openHostStores } from '../openHostStores.ts';
import { openRollbacks } from '../openRollbacks.ts';
import type { RunHost } from '../runHost.ts';
import { serveHost } from '../serveHost.ts';
import { startHealth } from '../startHealth.ts';
import { systemTimers } from '../systemTimers.ts';
import { tellNextTimes } from '../tellNextTimes.ts';
import type { ClusterContext, ClusterParts } from './clusterContext.ts';
import { clusterIdentity } from './clusterIdentity.ts';
import { openClusterWaves } from './clusterWaves.ts';
import { keepBots } from './keepBots.ts';
import { labelLeader } from './labelLeader.ts';
import { openClusterSource } from './openClusterSource.ts';

/** Starts at the same time, and as many ends: the API bears them, and the kubelets queue. */
const AT_ONCE = 32;
/** So many looks at bots have left something to give back. */
const MANY_LOOKS = 500;

/**
 * The room of a host in a cluster. What is different from `host/run`: the lease, records and waves in objects of the cluster (`keepObjects`,
 * `clusterWaves`), an identity that replicas share (`clusterIdentity`), bots as custom resources and what is told on them (`keepBots`,
 * `statusOf`, `tellCluster`), and bots as pods (`openClusterParts`).
 *
 * A host in a cluster: one of several replicas. It waits for the lease, reads what the one before has recorded, and works as any other
 * host does. Everything that it writes is sent while the lease holds, or not at all; when another replica has taken the lease it
 * ends at once (`fenced`, 75) and begins again as the one that waits.
 */
export async function runClusterHost(
  run: RunHost,
  openParts: (context: ClusterContext) => Promise<ClusterParts>,
): Promise<void> {
  const { options, env, log, signal } = run;
  keepHeapSmall();
  await using closing = new AsyncDisposableStack();
  const access = openAccess(env, Date.now);
  const namespace = options.namespace || access.namespace;
  const host = options.name;
  const instance = env.POD_NAME || `process-${process.pid}`;

  const metrics = createHostMetrics();
  const state = { isReady: () => true };
  const health = await startHealth(options['health-port'], () => state.isReady(), metrics.registry);
  closing.defer(() => health.close());

  const ownClient = createKubeClient(access, systemClock);
  closing.defer(() => ownClient.close());
  const lease = openLease({
    client: ownClient,
    namespace,
    name: `${host}-host`,
    holder: `${instance}_${randomBytes(4).toString('hex')}`,
    clock: systemClock,
    monotonic: () => performance.now(),
    log,
  });
  log.info(`waiting for the lease ${host}-host in ${namespace}`, { health: health.port });
  try {
    await lease.acquire(signal);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  closing.defer(() => lease.release());
  const client = createKubeClient(access, systemClock, () => lease.check());
  closing.defer(() => client.close());
  await work({ run, client, namespace, host, instance, lease, metrics, log, closing, state, openParts });
}

interface Working {
  readonly run: RunHost;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly host: string;
  readonly instance: string;
  readonly lease: Lease;
  readonly metrics: HostMetrics;
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
  readonly state: { isReady: () => boolean };
  readonly openParts: (context: ClusterContext) => Promise<ClusterParts>;
}

/** From the lease on. Throws what ended it when that was not the signal. */
async function work(working: Working): Promise<void> {
  const { run, client, namespace, host, instance, lease, metrics, log, closing, state } = working;
  const { options, config, env } = run;
  const lost = new AbortController();
  const end = (error: unknown) => lost.abort(error);
  const signal = AbortSignal.any([run.signal, lost.signal]);
  const keeping = lease.keep(signal).catch(end);
  try {
    if (env.POD_NAME)
      closing.defer(await labelLeader({ client, namespace, host, pod: env.POD_NAME, log }, signal));
    const identity = await clusterIdentity(client, namespace, host, signal);
    const folders = createFolders(options.data);
    const journal = openJournal(folders.journal, () => Date.now());
    closing.defer(() => journal.close());
    journal.subscribe(metrics.event);
    const stores = openHostStores(config, closing);
    const context: ClusterContext = { run, client, namespace, host, identity, stores, log, closing };
    const { source, kubernetes } = await openClusterSource(context);
    const bots = kubernetes && keepBots({ ...context, source: kubernetes, instance, journal });
    const { records, damaged } = await openClusterRecords({
      client,
      namespace,
      host,
      signal,
      forgetting: async (bot, recorded, asked) => await bots?.forgetting(bot, recorded, asked),
    });
    const { engine, instances, description } = await working.openParts(context);
    closing.defer(() => engine.close());
    const rollbacks = openRollbacks({ state: stores.state, source, clock: systemClock, log });
    const loop = createLoop({
      engine,
      instances,
      records: endingWhenFenced(records, end),
      rollbacks,
      damaged,
      waves: await openClusterWaves(client, namespace, host, signal),
      journal,
      clock: systemClock,
      timers: systemTimers,
      log,
      slots: { code: AT_ONCE, start: options['start-slots'] || AT_ONCE, end: AT_ONCE },
      allowMassDelete: options['allow-mass-delete'],
      types: typesOf(options),
      // The scheduler of the cluster says where there is room, and its kubelets what is over its limits.
      hostFull: { any: () => undefined, disk: () => undefined },
      diskUse: createDiskUse(),
      random: Math.random,
      draining: identity.draining,
      readyAfterMs: 5_000,
      observe: metrics.observe,
    });
    // A start with many bots leaves much garbage, and then nothing happens for hours.
    const release = releaseWhenQuiet(MANY_LOOKS);
    loop.onChange(() => release(1));
    const served = await serveHost({
      options,
      loop,
      engine,
      instances,
      rollbacks,
      source,
      journal,
      state: stores.state,
      tokenKey: identity.tokenKey,
      keepDraining: (on) => identity.keepDraining(on),
      metrics,
      log,
      closing,
      // One that waits is given folders: there are none here.
      waiting: { size: 0, folder: folders.workers },
    });
    state.isReady = served.isReady;
    const message = `host ${host} with ${source.label} in ${namespace}; ${description}`;
    journal.write({ type: 'host-started', bot: undefined, message, facts: { version: build.version } });
    log.info(message, { queries: served.queryPort });
    await Promise.all([
      loop.run(signal),
      source.run(loop.observer, signal),
      tellNextTimes({ loop, source, clock: systemClock, log }, signal),
      bots?.run(served.api, signal),
      keeping,
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    state.isReady = () => false;
    lost.abort(new Error('over'));
    await keeping;
  }
  if (!run.signal.aborted) throw lost.signal.reason;
  log.info('this replica ends; what runs keeps running');
}

/** Somebody else records the same bots: nothing that is known here can be believed any more. */
function endingWhenFenced(records: Records, end: (error: unknown) => void): Records {
  return {
    ...records,
    put: async (bot, recorded) => {
      try {
        await records.put(bot, recorded);
      } catch (error) {
        if (error instanceof RuntimeError && error.code === 'fenced') end(error);
        throw error;
      }
    },
  };
}
