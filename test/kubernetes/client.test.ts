import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { follow } from '../../src/host/kubernetes/follow.ts';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { testNamespace } from '../support/kubernetes/testNamespace.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const signal = () => AbortSignal.timeout(60_000);
const map = (name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { of: 'test' } },
  data,
});

kubeTest('what is created, applied, patched and removed is told to who follows', async () => {
  await using space = await testNamespace();
  const maps = resource<ConfigMap>(space.client, {
    api: 'v1',
    plural: 'configmaps',
    namespace: space.name,
  });
  await maps.create(map('a', { x: '1' }), signal());
  await expect(maps.create(map('a', {}), signal())).rejects.toMatchObject({ code: 'conflict' });

  const told: string[] = [];
  const over = new AbortController();
  const wait = async (count: number) => {
    const until = signal();
    while (told.length < count) await systemClock.sleep(10, until);
  };
  const tell = (how: string) => (one: ConfigMap) =>
    void told.push(`${how} ${one.metadata.name} ${JSON.stringify(one.data)}`);
  const following = follow(
    maps,
    {
      clock: systemClock,
      random: Math.random,
      labelSelector: 'of=test',
      keep: (one) => one,
      listed: (items) => items.forEach(tell('listed')),
      changed: tell('changed'),
      gone: tell('gone'),
      lost: (error) => void told.push(String(error)),
    },
    over.signal,
  );
  await wait(1);
  await maps.apply(map('b', { y: '1' }), 'test', signal());
  await wait(2);
  await maps.patch('a', { data: { x: '2' } }, signal());
  await wait(3);
  await expect(maps.remove('a', { uid: 'another' }, signal())).rejects.toMatchObject({ code: 'conflict' });
  await maps.remove('a', {}, signal());
  await wait(4);
  over.abort();
  await following;
  expect(told).toEqual([
    'listed a {"x":"1"}',
    'changed b {"y":"1"}',
    'changed a {"x":"2"}',
    'gone a {"x":"2"}',
  ]);
  expect(await maps.get('a', signal())).toBeUndefined();
});
