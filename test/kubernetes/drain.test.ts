import { expect, vi } from 'vitest';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { counter, lives, signal, soon, uidOf } from '../support/kubernetes/counterBot.ts';
import { type KubeHost, kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';

/** As `kubectl drain` does. */
async function evict({ space, pods }: KubeHost, name: string): Promise<void> {
  await space.client.call({
    op: 'pods.evict',
    subject: name,
    method: 'POST',
    path: `${pods.path}/${name}/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: space.name } },
    signal: signal(),
  });
}

kubeTest(
  'a node is drained: the bot ends in order, and goes on where there is room; drain of the host stops all',
  async () => {
    await using host = await kubeHost();
    host.write(counter('mover'));
    await host.start();
    await lives(host, 'mover', 1);
    const { spec } = (await host.pods.get('rt-mover', signal()))!;
    const node = spec.nodeName ?? '';
    const nodes = resource<KubeObject>(host.space.client, {
      api: 'v1',
      plural: 'nodes',
      namespace: undefined,
    });
    const first = await uidOf(host, 'rt-mover');
    try {
      await nodes.patch(node, { spec: { unschedulable: true } }, signal());
      await evict(host, 'rt-mover');
      // The only node takes nothing now: a new one waits, and says for what.
      await vi.waitFor(async () => {
        const [{ conditions = [] } = {}] = await host.list();
        expect(await uidOf(host, 'rt-mover')).not.toBe(first);
        expect(conditions.find(({ type }) => type === 'Ready')?.message).toMatch(/unschedulable/);
      }, soon);
    } finally {
      await nodes.patch(node, { spec: { unschedulable: null } }, signal());
    }
    await lives(host, 'mover', 2);
    const events = await host.events();
    expect(events.filter(({ type }) => type === 'held' || type === 'failed')).toEqual([]);
    expect(events.find(({ type }) => type === 'ended')?.message).toMatch(/taken away: EvictionByEvictionAPI/);

    await host.cli('drain', '--wait');
    expect(await host.pods.get('rt-mover', signal())).toBeUndefined();
    await host.cli('resume');
    await lives(host, 'mover', 3);
  },
);
