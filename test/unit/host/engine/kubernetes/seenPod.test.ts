import { expect, test } from 'vitest';
import type { Pod } from '../../../../../src/host/engine/kubernetes/pods/pod.ts';
import { instanceOf, seePod } from '../../../../../src/host/engine/kubernetes/pods/seenPod.ts';

const AT = '2026-01-01T00:00:00Z';
const at = Date.parse(AT);

function pod(more: { metadata?: object; spec?: object; status?: object }): Pod {
  return {
    metadata: {
      name: 'rt-a',
      uid: 'u1',
      resourceVersion: '7',
      creationTimestamp: AT,
      labels: { 'runtime.host': 'h', 'runtime.role': 'bot', 'runtime.egress': 'none' },
      annotations: {
        'runtime/name': 'rt-a',
        'runtime/bot': 'a',
        'runtime/spec': 'hash',
        'runtime/secret': 'rt-a-1',
      },
      ...more.metadata,
    },
    spec: { nodeName: 'node-1', ...more.spec },
    status: { phase: 'Running', podIP: '10.0.0.7', ...more.status },
  };
}

const running = { containerStatuses: [{ name: 'bot', state: { running: { startedAt: AT } } }] };
const ended = (exitCode: number, reason = 'Error') => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    { name: 'bot', state: { terminated: { exitCode, reason, startedAt: AT, finishedAt: AT } } },
  ],
});
const going = { deletionTimestamp: AT };
const disrupted = (reason: string) => ({
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason }],
});
const see = (more: Parameters<typeof pod>[0], host = 'h') => seePod(pod(more), host)?.instance;

test('what is not of this host, or not whole, is not seen', () => {
  expect(see({}, 'other')).toBeUndefined();
  expect(see({ metadata: { annotations: {} } })).toBeUndefined();
  expect(see({})).toMatchObject({ name: 'rt-a', bot: 'a', role: 'bot', hash: 'hash', id: 'u1' });
});

test.each([
  [
    'waits to be started',
    {
      spec: { nodeName: undefined, schedulingGates: [{ name: 'runtime/start' }] },
      status: { phase: 'Pending' },
    },
    { state: 'created', startedAt: undefined },
  ],
  [
    'is on its way',
    { status: { phase: 'Pending' } },
    { state: 'running', startedAt: undefined, address: undefined },
  ],
  ['runs', { status: running }, { state: 'running', startedAt: at, address: '10.0.0.7' }],
  [
    'has ended',
    { status: ended(3) },
    { state: 'ended', exitCode: 3, endedAt: at, takenAway: undefined, address: undefined },
  ],
  ['had no memory', { status: ended(137, 'OOMKilled') }, { state: 'ended', outOfMemory: true }],
  [
    'is being removed',
    { metadata: going, status: running },
    { state: 'leaving', takenAway: 'deleted', address: undefined },
  ],
  [
    'was removed before it had a node',
    { metadata: going, spec: { nodeName: undefined }, status: { phase: 'Pending' } },
    { state: 'ended', startedAt: undefined, exitCode: undefined },
  ],
  [
    'was drained',
    { metadata: going, status: { ...ended(0), ...disrupted('EvictionByEvictionAPI') } },
    { state: 'ended', exitCode: 0, takenAway: 'EvictionByEvictionAPI' },
  ],
  [
    'was evicted before it ran',
    { status: { phase: 'Failed', reason: 'Evicted', message: 'the node was low' } },
    { state: 'ended', exitCode: undefined, takenAway: 'Evicted', error: 'the node was low' },
  ],
  [
    'has no room',
    {
      status: {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
        ],
      },
    },
    { state: 'running', error: '0/1 nodes' },
  ],
  [
    'has no image',
    {
      status: {
        phase: 'Pending',
        containerStatuses: [
          { name: 'bot', state: { waiting: { reason: 'ImagePullBackOff', message: 'x' } } },
        ],
      },
    },
    { state: 'running', error: 'bot: ImagePullBackOff: x' },
  ],
  [
    'is being made',
    {
      status: {
        phase: 'Pending',
        containerStatuses: [{ name: 'bot', state: { waiting: { reason: 'ContainerCreating' } } }],
      },
    },
    { error: undefined },
  ],
])('a pod that %s', (_, more, expected) => {
  expect(see(more)).toMatchObject(expected);
});

test.each([
  ['marked by the cluster', disrupted('DeletionByTaintManager'), 30_000],
  ['not confirmed', {}, 300_000],
])(
  'a node that is lost, the pod %s: taken for gone where that was asked for, and not before',
  (_, why, after) => {
    const seen = seePod(pod({ metadata: going, status: { ...running, ...why } }), 'h')!;
    expect(instanceOf(seen, 'wait', at + 10 * after).state).toBe('leaving');
    expect(instanceOf(seen, 'replace', at + after - 1).state).toBe('leaving');
    expect(instanceOf(seen, 'replace', at + after)).toMatchObject({
      state: 'ended',
      exitCode: undefined,
      takenAway: 'its node is lost',
    });
  },
);

test('a pod that nobody removes is never taken for gone', () => {
  const seen = seePod(pod({ status: running }), 'h')!;
  expect(instanceOf(seen, 'replace', at + 1e9).state).toBe('running');
});
