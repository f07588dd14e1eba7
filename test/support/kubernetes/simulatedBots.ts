import { randomBytes } from 'node:crypto';
import { resource } from '../../../src/host/kubernetes/resource.ts';
import { type Minio, startMinio } from '../store/minio.ts';
import { type ApiProxy, apiProxy } from './apiProxy.ts';
import { FLEET_CODE, type Fleet, type HostProcess, openFleet, startHost } from './fleet.ts';
import { type OwnCluster, ownCluster } from './ownCluster.ts';
import { botsOf } from './withBots.ts';

export interface SimulatedBots extends AsyncDisposable {
  readonly cluster: OwnCluster;
  readonly minio: Minio;
  readonly proxy: ApiProxy;
  readonly fleet: Fleet;
  readonly namespace: string;
  readonly host: HostProcess;
}

/**
 * So many bots that run, by names `bot-0000`…: pods and nodes are simulated, the executable that looks after them, the API that it asks
 * through a proxy, etcd, and the store are real and this test's own, to be killed.
 */
export async function simulatedBots(count: number): Promise<SimulatedBots> {
  await using closing = new AsyncDisposableStack();
  const cluster = closing.use(await ownCluster(2));
  const minio = await startMinio({ quiet: true });
  closing.defer(() => minio.stop());
  await minio.client.makeBucket('custom-bots');
  await minio.client.putObject('custom-bots', FLEET_CODE, 'code');
  const proxy = closing.use(await apiProxy(cluster.kubeconfig));
  const { client } = cluster;
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const spaces = resource(client, { api: 'v1', plural: 'namespaces', namespace: undefined });
  const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await spaces.create(space, AbortSignal.timeout(60_000));
  const fleet = closing.use(await openFleet(client, namespace, await botsOf(client, namespace)));
  const host = startHost({ kubeconfig: proxy.kubeconfig, namespace, store: minio });
  closing.defer(() => host.end());
  await fleet.create(numbered('bot', count));
  try {
    await fleet.until(() => fleet.running() === count);
  } catch (error) {
    throw new Error(`${fleet.running()} of ${count} run\n${host.log().slice(-4000)}`, { cause: error });
  }
  const all = closing.move();
  return {
    cluster,
    minio,
    proxy,
    fleet,
    namespace,
    host,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

export const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
