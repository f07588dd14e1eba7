import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { inParallel } from '../../src/bot/state/read/inParallel.ts';
import { createKubeClient } from '../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../src/host/kubernetes/kubeconfig.ts';
import { listPages } from '../../src/host/kubernetes/listPages.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { apiProxy } from '../support/kubernetes/apiProxy.ts';
import { ownCluster, ownClusterTest } from '../support/kubernetes/ownCluster.ts';

/** More than a page. */
const COUNT = 120;

ownClusterTest(
  'etcd is compacted in the middle of a listing: the API has forgotten it (410), and it is begun anew',
  async () => {
    await using cluster = await ownCluster(0);
    await using proxy = await apiProxy(cluster.kubeconfig);
    const signal = AbortSignal.timeout(200_000);
    const maps = (client: typeof cluster.client) =>
      resource(client, { api: 'v1', plural: 'configmaps', namespace: 'default' });
    const own = maps(cluster.client);
    const names = Array.from({ length: COUNT }, (_, i) => `map-${String(i).padStart(4, '0')}`);
    const make = async (name: string) => {
      const metadata = { name, labels: { of: 'test' } };
      await own.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, signal);
    };
    await inParallel(20, names, signal, make);

    const through = createKubeClient(readKubeconfig(proxy.kubeconfig, process.env, Date.now), systemClock);
    let between: (() => Promise<void>) | undefined;
    const pausing = {
      ...through,
      call: async <T>(request: Parameters<typeof through.call>[0]): Promise<T> => {
        if (request.query && 'continue' in request.query) {
          const then = between;
          between = undefined;
          await then?.();
        }
        return await through.call<T>(request);
      },
    };
    const list = async () => {
      const options = {
        labelSelector: 'of=test',
        keep: (one: { metadata: { name: string } }) => one.metadata.name,
      };
      return (await listPages(maps(pausing), options, signal)).items;
    };
    // Negative control: what changes meanwhile is not forgotten without a compaction.
    between = async () => void (await own.remove(names[0]!, {}, signal));
    expect(await list()).toEqual(names);
    expect(proxy.forgotten).toBe(0);

    between = async () => {
      await own.remove(names[1]!, {}, signal);
      await cluster.compact();
      // Nor does the server have it in its memory any more.
      await cluster.killApi();
      await cluster.startApi();
    };
    expect(await list()).toEqual(names.slice(2));
    expect(proxy.forgotten).toBe(1);
    through.close();
  },
);
