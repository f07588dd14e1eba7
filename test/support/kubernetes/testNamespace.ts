import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import type { KubeObject } from '../../../src/host/kubernetes/objects.ts';
import { resource } from '../../../src/host/kubernetes/resource.ts';
import { clusterClient } from './kubeTest.ts';

export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  readonly client: KubeClient;
}

const signal = () => AbortSignal.timeout(60_000);

/** A namespace of the test's own, in which only pods that pass "restricted" are let in; what is in it goes with it. */
export async function testNamespace(): Promise<TestNamespace> {
  const client = clusterClient();
  const name = `test-${randomBytes(4).toString('hex')}`;
  const namespaces = resource<KubeObject>(client, { api: 'v1', plural: 'namespaces', namespace: undefined });
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }, signal());
  return {
    name,
    client,
    [Symbol.asyncDispose]: async () => {
      // Pods that wait for a host would keep the namespace for ever.
      await freePods(client, name);
      await namespaces.remove(name, {}, signal());
      client.close();
    },
  };
}

async function freePods(client: KubeClient, namespace: string): Promise<void> {
  const pods = resource<KubeObject>(client, { api: 'v1', plural: 'pods', namespace });
  const { items } = await client.call<{ items: KubeObject[] }>({
    op: 'pods.list',
    subject: 'pods',
    method: 'GET',
    path: pods.path,
    signal: signal(),
  });
  for (const { metadata } of items) {
    await pods.remove(metadata.name, { graceSeconds: 0 }, signal());
    await pods.patch(metadata.name, { metadata: { finalizers: null } }, signal()).catch(() => undefined);
  }
}
