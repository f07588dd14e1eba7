import { expect, test } from 'vitest';
import { type Amounts, nothing } from '../../../../../src/host/sandboxes/placement/amounts.ts';
import {
  anywhere,
  createCapacity,
  NoRoom,
  ofNew,
  ofResumed,
} from '../../../../../src/host/sandboxes/placement/capacity.ts';
import { type HostView, place } from '../../../../../src/host/sandboxes/placement/place.ts';
import type { Sandbox } from '../../../../../src/host/sandboxes/sandboxes.ts';

const amounts = (cpuMillis: number, memory: number, disk: number, slots: number): Amounts => ({
  cpuMillis,
  memoryBytes: memory * 2 ** 20,
  diskBytes: disk * 2 ** 30,
  slots,
});
const total = amounts(4000, 4096, 100, 10);
const host = (name: string, used: Amounts, more: Partial<HostView> = {}): HostView => ({
  name,
  id: `id-of-${name}`,
  driver: 'docker',
  unfit: undefined,
  total,
  used,
  ...more,
});
const one = amounts(1000, 1024, 10, 1);

test('the least loaded host with room is chosen', () => {
  const hosts = [
    host('a', amounts(3000, 0, 0, 3)),
    host('b', amounts(0, 2048, 0, 2)),
    host('c', amounts(0, 0, 95, 1)),
  ];
  expect(place(hosts, one, anywhere)).toMatchObject({ host: 'b' });
  expect(place(hosts, one, { ...anywhere, avoid: ['b'] })).toMatchObject({ host: 'a' });
  expect(place(hosts, one, { ...anywhere, among: ['c'] })).toMatchObject({ host: undefined });
  expect(place(hosts, one, { ...anywhere, avoid: ['id-of-b'] })).toMatchObject({ host: 'a' });
  expect(place(hosts, one, { ...anywhere, among: ['id-of-a'] })).toMatchObject({ host: 'a' });
});

test('nothing is placed where the host is not well, or its driver is another', () => {
  const hosts = [
    host('a', nothing, { unfit: 'it has not been heard of' }),
    host('b', nothing, { driver: 'kubernetes' }),
  ];
  expect(place(hosts, one, anywhere)).toMatchObject({ host: 'b' });
  expect(place(hosts, one, { ...anywhere, driver: 'docker' })).toEqual({
    host: undefined,
    why: 'a: it has not been heard of; b: its driver is kubernetes',
    short: [],
  });
});

test('what is short is said of each host', () => {
  const placed = place([host('a', amounts(3500, 4000, 0, 10))], one, anywhere);
  expect(placed).toMatchObject({
    host: undefined,
    short: [{ what: 'cpuMillis' }, { what: 'memoryBytes' }, { what: 'slots' }],
  });
  expect(placed.why).toBe(
    'a: 1 cores asked, 0.5 of 4 free, 1024 MB of memory asked, 96 of 4096 free, 1 places asked, 0 of 10 free',
  );
});

const sandbox = (id: string, status: Sandbox['status']): Sandbox =>
  ({
    id,
    status,
    host: 'a',
    resources: { cpuMillis: 1000, memoryBytes: 2 ** 30, diskBytes: 2 ** 30, cpuLimit: true, pids: 1 },
  }) as Sandbox;

function capacityOf(all: Sandbox[]) {
  const { used: _, ...view } = host('a', nothing);
  return createCapacity({ sandboxes: { all: () => all }, hosts: () => [view] });
}

test('of many that ask at once, only so many as there is room for get it, and a failure gives it back', async () => {
  const all: Sandbox[] = [];
  const capacity = capacityOf(all);
  const asked = ofNew(sandbox('x', 'pending').resources);
  const make = (id: string) =>
    capacity.hold(asked, anywhere, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (id === '0') throw new Error('the disk is full');
      all.push(sandbox(id, 'provisioning'));
      return id;
    });
  const results = await Promise.allSettled(Array.from({ length: 50 }, (_, at) => make(String(at))));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(results.filter((each) => each.status === 'rejected' && each.reason instanceof NoRoom)).toHaveLength(
    46,
  );
  expect(await make('again')).toBe('again');
  await expect(make('more')).rejects.toThrow(/no host has room: a: 1 cores asked, 0 of 4 free/);
});

test('one that is stopped keeps its place and its disk, and gives back the rest', async () => {
  const all = [1, 2, 3, 4].map((at) => sandbox(String(at), 'running'));
  const capacity = capacityOf(all);
  const asked = ofNew(all[0]!.resources);
  expect(place(capacity.hosts(), asked, anywhere).host).toBeUndefined();
  all[0] = sandbox('1', 'stopped');
  expect(place(capacity.hosts(), asked, anywhere).host).toBe('a');
  expect(capacity.hosts()[0]!.used).toEqual({
    cpuMillis: 3000,
    memoryBytes: 3 * 2 ** 30,
    diskBytes: 4 * 2 ** 30,
    slots: 4,
  });
  expect(place(capacity.hosts(), ofResumed(all[0]), anywhere).host).toBe('a');
  all.push(sandbox('5', 'running'));
  expect(place(capacity.hosts(), ofResumed(all[0]), anywhere).host).toBeUndefined();
});
