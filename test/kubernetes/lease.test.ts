import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeClient, KubeRequest } from '../../src/host/kubernetes/kubeClient.ts';
import { type Lease, openLease } from '../../src/host/kubernetes/openLease.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/testNamespace.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const signal = () => AbortSignal.timeout(100_000);

interface Replica {
  readonly lease: Lease;
  /** Milliseconds that only its own clock has gone. */
  skew: number;
  /** Its requests get no answer. */
  isCut: boolean;
}

function replica(space: TestNamespace, holder: string): Replica {
  const own = { skew: 0, isCut: false };
  const client: KubeClient = {
    ...space.client,
    call: async <T>(request: KubeRequest): Promise<T> => {
      if (own.isCut) throw new Error('cut');
      return await space.client.call<T>(request);
    },
  };
  const lease = openLease({
    client,
    namespace: space.name,
    name: 'host',
    holder,
    clock: systemClock,
    monotonic: () => performance.now() + own.skew,
    log: quiet,
  });
  return Object.assign(own, { lease });
}

kubeTest('one of two replicas has the lease; given back, the other has it at once', async () => {
  await using space = await testNamespace();
  const [a, b] = [replica(space, 'a'), replica(space, 'b')];
  await a.lease.acquire(signal());
  expect(a.lease.holds).toBe(true);
  const over = new AbortController();
  const keeping = a.lease.keep(over.signal);
  let isTaken = false;
  const taking = b.lease.acquire(signal()).then(() => {
    isTaken = true;
  });
  // Longer than it lasts without being renewed.
  await systemClock.sleep(11_000);
  expect([isTaken, b.lease.holds]).toEqual([false, false]);
  over.abort();
  await keeping;
  await a.lease.release();
  expect(() => a.lease.check()).toThrow(/lease of this replica is not renewed/);
  await taking;
  expect([a.lease.holds, b.lease.holds]).toEqual([false, true]);
});

kubeTest('a replica that is cut off stops before another begins, and finds out when it is back', async () => {
  await using space = await testNamespace();
  const [a, b] = [replica(space, 'a'), replica(space, 'b')];
  await a.lease.acquire(signal());
  const over = new AbortController();
  const keeping = a.lease.keep(over.signal).catch((error: unknown) => error);
  a.isCut = true;
  let both = false;
  const taken = b.lease.acquire(signal());
  void taken.then(() => {
    both = a.lease.holds;
  });
  await taken;
  expect(both).toBe(false);
  expect(b.lease.holds).toBe(true);
  a.isCut = false;
  expect(await keeping).toMatchObject({ code: 'fenced' });
});

kubeTest('a holder that stood still does nothing when it goes on, by whichever clock', async () => {
  await using space = await testNamespace();
  const a = replica(space, 'a');
  await a.lease.acquire(signal());
  a.lease.check();
  a.skew = 40_000;
  expect(() => a.lease.check()).toThrow();
  // Nobody has taken it meanwhile: it goes on.
  const over = new AbortController();
  const keeping = a.lease.keep(over.signal);
  while (!a.lease.holds) await systemClock.sleep(50, signal());
  over.abort();
  await keeping;
});
