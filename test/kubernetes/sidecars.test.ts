import { expect } from 'vitest';
import { counter, lives, signal } from '../support/kubernetes/counterBot.ts';
import { kubeHost } from '../support/kubernetes/kubeHost.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';

kubeTest('keys of the store are out of the bot’s container where sidecars have them', async () => {
  await using host = await kubeHost({ RUNTIME_HOST_POD_LAYOUT: 'sidecars' });
  host.write(counter('split'));
  await host.start();
  await lives(host, 'split', 1);
  const body = JSON.stringify((await host.pods.get('rt-split', signal()))!.spec);
  const { containers, initContainers } = JSON.parse(body) as Record<
    string,
    { name: string; env: { name: string }[] }[]
  >;
  const keysOf = ({ env }: { env: { name: string }[] }) =>
    env.filter(({ name }) => /^MINIO_/.test(name)).length;
  expect(containers?.map(({ name }) => name)).toEqual(['bot']);
  expect(initContainers?.map(({ name }) => name)).toEqual(['init', 'sync', 'query']);
  expect(keysOf(containers![0]!)).toBe(0);
  expect(keysOf(initContainers![1]!)).toBeGreaterThan(0);
  // Saved, and there again in another pod.
  await host.pods.remove('rt-split', {}, signal());
  await lives(host, 'split', 2);
});
