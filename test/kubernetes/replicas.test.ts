import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { apiProxy } from '../support/kubernetes/apiProxy.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { sleepyBots } from '../support/kubernetes/sleepyBots.ts';

/** How long a replica stands still or is cut off: longer than the lease lasts. Milliseconds. */
const AWAY_MS = 15_000;

const waits = async (log: () => string) => {
  for (const late = AbortSignal.timeout(60_000); !log().includes('has the lease'); )
    await systemClock.sleep(100, late);
};

kubeTest('a replica that is killed: the other goes on, and no bot is started twice', async () => {
  await using bots = await sleepyBots();
  const { fleet } = bots;
  const first = bots.replica();
  await fleet.create(['a', 'b']);
  await fleet.until(() => fleet.running() === 2);
  const second = bots.replica();
  await waits(second.log);
  await first.end();
  await fleet.create(['c']);
  await fleet.until(() => fleet.running() === 3);
  expect([fleet.twice, fleet.made]).toEqual([[], 3]);
});

kubeTest('a replica that stands still, then wakes up: it changes nothing, and ends', async () => {
  await using bots = await sleepyBots();
  const { fleet } = bots;
  const first = bots.replica();
  await fleet.create(['a', 'b']);
  await fleet.until(() => fleet.running() === 2);
  const second = bots.replica();
  await waits(second.log);
  first.signal('SIGSTOP');
  // What both would do: the one that sleeps finds it first thing when it wakes up.
  await fleet.create(['c']);
  await fleet.bots.patch('a', { spec: { enabled: false } }, AbortSignal.timeout(30_000));
  await systemClock.sleep(AWAY_MS);
  first.signal('SIGCONT');
  expect(await first.ended).toBe(75);
  await fleet.until(() => fleet.running() === 2 && !fleet.pods.has('a'));
  expect([fleet.twice, fleet.made]).toEqual([[], 3]);
});

kubeTest('a replica whose network is cut: the other goes on; back again, it ends', async () => {
  await using bots = await sleepyBots();
  await using proxy = await apiProxy(theCluster().kubeconfig);
  const { fleet } = bots;
  const first = bots.replica(proxy.kubeconfig);
  await fleet.create(['a', 'b']);
  await fleet.until(() => fleet.running() === 2);
  const second = bots.replica();
  await waits(second.log);
  proxy.silent = true;
  await fleet.create(['c']);
  await fleet.until(() => fleet.running() === 3);
  proxy.silent = false;
  expect(await first.ended).toBe(75);
  expect([fleet.twice, fleet.made]).toEqual([[], 3]);
});
