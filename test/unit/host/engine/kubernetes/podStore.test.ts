import { expect, test } from 'vitest';
import { createPodStore } from '../../../../../src/host/engine/kubernetes/pods/podStore.ts';
import type { SeenPod } from '../../../../../src/host/engine/kubernetes/pods/seenPod.ts';

const seen = (uid: string, version: number, name = 'a') =>
  ({ uid, version: BigInt(version), instance: { name } }) as SeenPod;

test('what is newer counts, whether it was told or answered', () => {
  const store = createPodStore();
  store.put(seen('u1', 5));
  store.put(seen('u1', 4));
  expect(store.get('a')?.version).toBe(5n);
  store.put(seen('u1', 6));
  expect(store.get('a')?.version).toBe(6n);
});

test('an event of an earlier pod says nothing of the one that has its name now', () => {
  const store = createPodStore();
  store.put(seen('u2', 9));
  store.put(seen('u1', 8));
  store.drop(seen('u1', 8), 'event');
  expect(store.get('a')?.uid).toBe('u2');
});

test('what we have removed does not come back with a late event', () => {
  const store = createPodStore();
  store.put(seen('u1', 5));
  store.drop(seen('u1', 5), 'us');
  store.put(seen('u1', 6));
  expect(store.get('a')).toBeUndefined();
});

test('whoever listens is told names, and of a new listing that anything may be otherwise', () => {
  const store = createPodStore();
  const told: (string | undefined)[] = [];
  const stop = store.onChange((name) => void told.push(name));
  store.put(seen('u1', 5));
  store.replace([seen('u3', 7, 'b')]);
  stop();
  store.put(seen('u4', 9, 'c'));
  expect(told).toEqual(['a', undefined]);
  expect([...store.values()].map(({ instance }) => instance.name)).toEqual(['b', 'c']);
});
