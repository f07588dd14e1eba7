import { expect, test } from 'vitest';
import { instanceNow } from '../../../../../src/host/engine/kubernetes/instanceNow.ts';
import type { PodOptions } from '../../../../../src/host/engine/kubernetes/pods/podOptions.ts';
import { createPodStore } from '../../../../../src/host/engine/kubernetes/pods/podStore.ts';
import { seePod } from '../../../../../src/host/engine/kubernetes/pods/seenPod.ts';
import { fakeClock } from '../../../../support/fakeClock.ts';

const AT = '2026-01-01T00:00:00Z';
const at = Date.parse(AT);

/** A pod that has been told to go and has two minutes for it; its node has said nothing yet. */
const leaving = (reason?: string) =>
  seePod(
    {
      metadata: {
        name: 'rt-a',
        uid: 'u1',
        resourceVersion: '7',
        deletionTimestamp: AT,
        deletionGracePeriodSeconds: 120,
        labels: { 'runtime.host': 'h', 'runtime.role': 'bot' },
        annotations: { 'runtime/name': 'rt-a', 'runtime/bot': 'a', 'runtime/secret': 's' },
      },
      spec: { nodeName: 'node-1' },
      status: { phase: 'Running', ...(reason && { conditions: [{ type: 'D', status: 'True', reason }] }) },
    },
    'h',
  )!;

test.each([
  ['marked by the cluster', 'DeletionByTaintManager', 150_000],
  ['not confirmed', undefined, 420_000],
])('a clock that is a day ahead takes no pod for gone that has its time still: %s', (_, reason, afterMs) => {
  let monotonic = 0;
  const clock = fakeClock(at + 86_400_000);
  const store = createPodStore(() => monotonic);
  const context = { store, clock, options: { lostNode: 'replace' } as PodOptions };
  const pod = leaving(reason);
  store.put(pod);
  expect(instanceNow(context, pod).state).toBe('leaving');
  monotonic = afterMs - 1;
  expect(instanceNow(context, pod).state).toBe('leaving');
  monotonic = afterMs;
  expect(instanceNow(context, pod)).toMatchObject({ state: 'ended', takenAway: 'its node is lost' });
  // Ours alone is not enough, either.
  clock.set(at);
  expect(instanceNow(context, pod).state).toBe('leaving');
});
