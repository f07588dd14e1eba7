import { expect, test } from 'vitest';
import { createPodStore } from '../../../../../src/host/engine/kubernetes/pods/podStore.ts';
import type { SeenPod } from '../../../../../src/host/engine/kubernetes/pods/seenPod.ts';

const seen = (uid: string, version: number, name = 'a') =>
  ({ uid, version: BigInt(version), instance: { name } }) as SeenPod;

test('what is newer counts, whether it was told or answered', () => {
  const store = createPodStore(() => 0);
  store.put(seen('u1', 5));
  store.put(seen('u1', 4));
  expect(store.get('a')?.version).toBe(5n);
  store.put(seen('u1', 6));
  expect(store.get('a')?.version).toBe(6n);
});

test('an event of an earlier pod says nothing of the one that has its name now', () => {
  const store = createPodStore(() => 0);
  store.put(seen('u2', 9));
  store.put(seen('u1', 8));
  store.drop(seen('u1', 8), 'event');
  expect(store.get('a')?.uid).toBe('u2');
});

test('what we have removed does not come back with a late event', () => {
  const store = createPodStore(() => 0);
  store.put(seen('u1', 5));
  store.drop(seen('u1', 5), 'us');
  store.put(seen('u1', 6));
  expect(store.get('a')).toBeUndefined();
});

test('whoever listens is told names, and of a new listing that anything may be otherwise', () => {
  const store = createPodStore(() => 0);
  const told: (string | undefined)[] = [];
  const stop = store.onChange((name) => void told.push(name));
  store.put(seen('u1', 5));
  store.replace([seen('u3', 7, 'b')]);
  stop();
  store.put(seen('u4', 9, 'c'));
  expect(told).toEqual(['a', undefined]);
  expect([...store.values()].map(({ instance }) => instance.name)).toEqual(['b', 'c']);
});

test('a pod leaves for as long as it is seen to, whatever is told of it, and anew with another uid', () => {
  let now = 1_000;
  const store = createPodStore(() => now);
  const one = (uid: string, version: number, state: 'running' | 'leaving') =>
    ({ uid, version: BigInt(version), instance: { name: 'a', state } }) as SeenPod;
  store.put(one('u1', 1, 'running'));
  expect(store.leavingFor(one('u1', 1, 'running'))).toBe(0);
  store.put(one('u1', 2, 'leaving'));
  now += 500;
  store.put(one('u1', 3, 'leaving'));
  store.replace([one('u1', 4, 'leaving')]);
  expect(store.leavingFor(store.get('a')!)).toBe(500);
  store.replace([one('u2', 5, 'leaving')]);
  expect([store.leavingFor(store.get('a')!), store.leavingFor(one('u1', 4, 'leaving'))]).toEqual([0, 0]);
});
