import { isIP } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { engineKeys } from '../../credentials/engineKeys.ts';
import { INSIDE, openCredentials } from '../../credentials/openCredentials.ts';
import { reachStore } from '../../credentials/reachStore.ts';
import { openKubernetes } from '../../engine/kubernetes/openKubernetes.ts';
import { openPodInstances } from '../../instances/openPodInstances.ts';
import { sharedEnv } from '../sharedEnv.ts';
import { botSecrets } from './botSecrets.ts';
import type { ClusterContext, ClusterParts } from './clusterContext.ts';

/** Bots as pods. */
export async function openClusterParts(context: ClusterContext): Promise<ClusterParts> {
  const { run, client, namespace, host, identity, stores, log, closing } = context;
  const { options, config, env } = run;
  const pods = {
    layout: options['pod-layout'],
    lostNode: options['lost-node'],
    template: options['pod-template'],
  };
  const engine = await openKubernetes({
    client,
    namespace,
    host,
    pods: { ...pods, pullPolicy: options['pull-policy'] === 'cluster' ? undefined : options['pull-policy'] },
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    log,
  });
  const sealKey = Buffer.from(identity.sealKey.reveal(), 'base64');
  const { endpoint } = reachStore(config.store, env.MINIO_CONTAINER_ENDPOINT || undefined);
  checkEndpoint(config.store.type === 's3' ? env.MINIO_CONTAINER_ENDPOINT || config.store.endpoint : '');
  const credentials = openCredentials({
    store: config.store,
    endpoint,
    buckets: config.buckets,
    folder: join(options.data, 'credentials'),
    place: engineKeys(engine, sealKey, INSIDE),
    clock: systemClock,
    log,
  });
  closing.defer(() => credentials.close());
  const instances = openPodInstances({
    credentials,
    code: stores.code,
    image: options.image,
    shared: sharedEnv(env, config.buckets),
    secrets: botSecrets(client, namespace),
    tokenKey: identity.tokenKey,
    made: JSON.stringify(pods),
  });
  return {
    engine,
    instances,
    get description() {
      return credentials.description;
    },
  };
}

/** A pod's loopback is its own. */
function checkEndpoint(endpoint: string): void {
  const { hostname } = new URL(/^[a-z]+:/.test(endpoint) ? endpoint : `http://${endpoint}`);
  if (hostname !== 'localhost' && !(isIP(hostname) === 4 && hostname.startsWith('127.'))) return;
  throw new RuntimeError('config', `pods do not reach a store at ${endpoint}`, {
    op: 'host.store',
    hint: 'Set MINIO_ENDPOINT, or MINIO_CONTAINER_ENDPOINT for them alone, to an address in the cluster.',
  });
}
