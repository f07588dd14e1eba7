import { expect, vi } from 'vitest';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { botSecrets, FOR_BOTS } from '../../src/host/run/cluster/botSecrets.ts';
import { failureOf } from '../support/host/failureOf.ts';
import { counter, signal, soon } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { testNamespace } from '../support/kubernetes/testNamespace.ts';

const secretNamed = (name: string, stringData: Record<string, string>, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels },
  stringData,
});

kubeTest('a Secret is given to bots when it is marked as theirs, and only then', async () => {
  await using space = await testNamespace();
  const secrets = resource<KubeObject>(space.client, { api: 'v1', plural: 'secrets', namespace: space.name });
  await secrets.create(secretNamed('one', { key: 'a' }, { [FOR_BOTS]: 'true' }), signal());
  await secrets.create(secretNamed('two', { id: 'b', key: 'c' }, { [FOR_BOTS]: 'true' }), signal());
  await secrets.create(secretNamed('runtime-identity', { seal: 'd' }), signal());
  await secrets.create(secretNamed('empty', {}, { [FOR_BOTS]: 'true' }), signal());

  const read = botSecrets(space.client, space.name);
  const texts = async (name: string) =>
    Object.entries(await read(name, signal())).map(([file, secret]) => `${file}=${secret.reveal()}`);
  expect(await texts('one')).toEqual(['one=a']);
  expect(await texts('two')).toEqual(['two.id=b', 'two.key=c']);
  for (const name of ['runtime-identity', 'empty', 'nobody', 'Not_A_Name'])
    expect(await failureOf(read(name, signal())), name).toBe('config');
});

kubeTest('a bot waits for the Secret that it names, and then has it as a file', async () => {
  await using host = await kubeHost();
  const { space } = host;
  host.write(counter('trader', 'secrets: [binance]'));
  await host.start();
  await vi.waitFor(
    async () => expect(JSON.stringify(await host.list())).toContain('binance is not in the namespace'),
    soon,
  );
  const secrets = resource<KubeObject>(space.client, { api: 'v1', plural: 'secrets', namespace: space.name });
  await secrets.create(secretNamed('binance', { key: 'k' }, { [FOR_BOTS]: 'true' }), signal());
  const pod = await vi.waitFor(async () => {
    const found = await host.pods.get('rt-trader', signal());
    if (found === undefined) throw new Error(JSON.stringify(await host.list()));
    return found as unknown as { spec: { volumes: { secret?: { items: { path: string }[] } }[] } };
  }, soon);
  const files = pod.spec.volumes.flatMap(({ secret }) => secret?.items ?? []).map(({ path }) => path);
  expect(files).toContain('binance');
});
