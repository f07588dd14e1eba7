import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { apiProxy, type Trouble } from '../support/kubernetes/apiProxy.ts';
import { kubeTest, theCluster } from '../support/kubernetes/kubeTest.ts';
import { sleepyBots } from '../support/kubernetes/sleepyBots.ts';
import { scaled } from '../support/scale.ts';

/** What goes wrong with which requests. */
const troubles: readonly [string, Trouble, RegExp][] = [
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '1' } }, /./],
  ['500', { status: 500 }, /./],
  ['connections that are cut', 'cut', /./],
  ['answers that are lost after the work is done', 'lose-answer', /^(POST|PATCH|DELETE)/],
  ['moments that are forgotten (410)', { status: 410 }, /^GET (pods|bots)$/],
];
/** Every other request that a trouble is for, and so many at most. */
const BITES = 8;

kubeTest(
  'an API in every trouble: each change arrives, and no bot is started twice',
  async () => {
    await using bots = await sleepyBots();
    await using proxy = await apiProxy(theCluster().kubeconfig);
    const { fleet } = bots;
    const host = bots.replica(proxy.kubeconfig);
    await fleet.create(['a']);
    await fleet
      .until(() => fleet.running() === 1)
      .catch((error: Error) => {
        throw new Error(`${error.message}\n${host.log().slice(-4000)}`);
      });
    let changes = 0;
    for (const [name, trouble, of] of Array.from({ length: scaled(1) }, () => troubles).flat()) {
      let asked = 0;
      let bites = 0;
      proxy.trouble = (what) => {
        if (!of.test(what) || what.includes('leases')) return undefined;
        asked += 1;
        if (asked % 2 === 0 || bites === BITES) return undefined;
        bites += 1;
        return trouble;
      };
      proxy.cutWatches();
      const before = [...fleet.pods.get('a')!.keys()];
      await fleet.create([`b${changes}`]);
      await fleet.bots.patch('a', { spec: { env: { ROUND: `${changes}` } } }, AbortSignal.timeout(30_000));
      changes += 1;
      await fleet
        .until(() => {
          const now = [...(fleet.pods.get('a')?.values() ?? [])];
          const isNew = now.some(({ uid, phase }) => phase === 'Running' && !before.includes(uid));
          return isNew && fleet.running() === 1 + changes;
        })
        .catch((error: Error) => {
          throw new Error(`${name}: ${error.message}\n${host.log().slice(-4000)}`);
        });
      expect(bites, name).toBeGreaterThan(0);
    }
    proxy.trouble = () => undefined;
    await systemClock.sleep(2_000);
    expect(fleet.twice).toEqual([]);
    // One for each bot, and one for each change.
    expect(fleet.made).toBe(1 + 2 * changes);
    expect(host.child.exitCode).toBeNull();
  },
  400_000,
);
