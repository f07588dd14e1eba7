import { afterAll, expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { KubeObject } from '../../src/host/kubernetes/objects.ts';
import { resource } from '../../src/host/kubernetes/resource.ts';
import type { Trouble } from '../support/kubernetes/apiProxy.ts';
import { ownClusterTest } from '../support/kubernetes/ownCluster.ts';
import { numbered, type SimulatedBots, simulatedBots } from '../support/kubernetes/simulatedBots.ts';
import { scaled } from '../support/scale.ts';

/** Bots at the usual scale; `RUNTIME_TEST_SCALE=10 scripts/test test/kubernetes/manyFaults` has some hundred of them. */
const COUNT = scaled(20);
/** A quarter is switched off and on again, a quarter of them is new, and the rest must not notice anything. */
const SOME = Math.ceil(COUNT / 4);
const LIMIT_MS = 240_000 + COUNT * 5_000;
/** Longer than the lease: the host may not change anything for a while, and nobody else is there. */
const AWAY_MS = 9_000;

const signal = () => AbortSignal.timeout(60_000);
const bots = numbered('bot', COUNT);
const switched = bots.slice(0, SOME);

/** One cluster for all of this file: bringing it up costs more than most of what happens to it. */
let opened: Promise<SimulatedBots> | undefined;

async function close(): Promise<void> {
  const field = await opened?.catch(() => undefined);
  opened = undefined;
  await field?.[Symbol.asyncDispose]();
}

afterAll(close);

/** What a test before has made is gone, and exactly `bots` run; after one that has failed, in another cluster. */
function manyBotsTest(name: string, run: (field: SimulatedBots) => Promise<void>): void {
  const whole = async () => {
    try {
      opened ??= simulatedBots(COUNT);
      const field = await opened;
      const { fleet } = field;
      for (const bot of fleet.pods.keys())
        if (!bots.includes(bot)) await fleet.bots.remove(bot, {}, signal());
      await until(field, 'at rest', () => fleet.running() === COUNT && fleet.pods.size === COUNT);
      await run(field);
    } catch (error) {
      await close();
      throw error;
    }
  };
  ownClusterTest(name, whole, LIMIT_MS);
}

/** The uids of pods of these bots. */
const uidsOf = ({ fleet }: SimulatedBots, names: readonly string[]) =>
  names.map((bot) => [...(fleet.pods.get(bot)?.keys() ?? [])].join(' '));

async function enable({ fleet }: SimulatedBots, enabled: boolean): Promise<void> {
  for (const bot of switched) await fleet.bots.patch(bot, { spec: { enabled } }, signal());
}

const areOff = ({ fleet }: SimulatedBots) => !switched.some((bot) => fleet.pods.has(bot));

async function until(field: SimulatedBots, what: string, is: () => boolean): Promise<void> {
  const { fleet, host } = field;
  await fleet.until(is, LIMIT_MS / 2).catch((error: Error) => {
    const said = `${what}: ${fleet.running()} run, ${fleet.made} made\n${host.log().slice(-4000)}`;
    throw new Error(said, { cause: error });
  });
}

/**
 * The changes, while `trouble` goes on; then it is over, and all has come as if nothing had been. `more`: pods that the trouble
 * itself costs.
 */
async function through(
  field: SimulatedBots,
  name: string,
  trouble: (change: () => Promise<void>) => Promise<void>,
  more = 0,
): Promise<void> {
  const { fleet, host } = field;
  const others = bots.slice(2 * SOME);
  const before = uidsOf(field, others);
  const { made } = fleet;
  await trouble(async () => {
    await enable(field, false);
    await fleet.create(numbered(name, SOME));
  });
  await until(field, 'switched off, and new ones', () => fleet.running() === COUNT && areOff(field));
  await enable(field, true);
  await until(field, 'switched on', () => fleet.running() === COUNT + SOME);
  expect(uidsOf(field, others)).toEqual(before);
  expect(fleet.twice).toEqual([]);
  expect(fleet.made - made).toBe(2 * SOME + more);
  expect(host.child.exitCode).toBeNull();
}

manyBotsTest(
  'the API server is killed under many bots, and comes back: all goes on, and no bot is started twice',
  async (field) => {
    const { cluster, host } = field;
    await through(field, 'killed', async (change) => {
      await change();
      await cluster.killApi();
      await expect(field.fleet.bots.get('bot-0000', signal())).rejects.toMatchObject({ code: 'unavailable' });
      await systemClock.sleep(AWAY_MS);
      await cluster.startApi();
    });
    expect(host.log()).toMatch(/is not renewed/);
  },
);

manyBotsTest(
  'watches are cut again and again under many bots: they go on where they were, and nothing is listed anew',
  async (field) => {
    const { proxy } = field;
    const over = new AbortController();
    const { forgotten } = proxy;
    const watches = () => proxy.verbs.get('watch pods') ?? 0;
    const [begun, listed] = [watches(), proxy.verbs.get('list pods')];
    const cutting = (async () => {
      while (!over.signal.aborted) {
        proxy.cutWatches();
        await systemClock.sleep(250, over.signal).catch(() => undefined);
      }
    })();
    await through(field, 'cut', async (change) => await change());
    // Whoever was in trouble before waits a while between two of them.
    await until(field, 'cut often enough', () => watches() > begun + 3);
    over.abort();
    await cutting;
    // One at most, which the trouble of the test before may still owe: each cut would have cost one.
    expect(proxy.verbs.get('list pods')).toBeLessThanOrEqual(listed! + 1);
    // Negative control for the test below: nothing was forgotten.
    expect(proxy.forgotten).toBe(forgotten);
  },
);

manyBotsTest(
  'etcd is compacted while the host is cut off from many bots: what was forgotten (410) is listed anew',
  async (field) => {
    const { proxy, cluster, fleet, namespace } = field;
    const pods = resource<KubeObject>(cluster.client, { api: 'v1', plural: 'pods', namespace });
    const victim = `bot-${String(SOME).padStart(4, '0')}`;
    const listed = proxy.verbs.get('list pods')!;
    const { forgotten } = proxy;
    await through(
      field,
      'forgotten',
      async (change) => {
        proxy.trouble = (what) => (/^GET (pods|bots)$/.test(what) ? 'cut' : undefined);
        proxy.cutWatches();
        await change();
        // Gone without a trace: only a listing can tell.
        await pods.patch(`rt-${victim}`, { metadata: { finalizers: null } }, signal());
        await pods.remove(`rt-${victim}`, { graceSeconds: 0 }, signal());
        await cluster.compact();
        await cluster.killApi();
        await cluster.startApi();
        expect(proxy.forgotten).toBe(forgotten);
        proxy.trouble = () => undefined;
      },
      1,
    );
    expect(proxy.forgotten).toBeGreaterThan(forgotten);
    expect(proxy.verbs.get('list pods')).toBeGreaterThan(listed);
    expect(fleet.pods.get(victim)?.size).toBe(1);
  },
);

manyBotsTest(
  'the API answers every third request with 429, 500, nothing, or loses its answer, under many bots',
  async (field) => {
    const { proxy } = field;
    const troubles: readonly Trouble[] = [
      { status: 429, headers: { 'retry-after': '1' } },
      { status: 500 },
      'cut',
      'lose-answer',
    ];
    let asked = 0;
    let bites = 0;
    await through(field, 'refused', async (change) => {
      proxy.trouble = (what) => {
        asked += 1;
        // Whoever fails again and again waits longer each time: for ever it would be another test.
        if (asked % 3 !== 0 || bites === 2 * COUNT) return undefined;
        const one = troubles[bites % troubles.length];
        bites += 1;
        // An answer that is lost to a watch is a watch that was cut.
        return one === 'lose-answer' && what.startsWith('GET') ? 'cut' : one;
      };
      await change();
    });
    // Each of them often.
    expect(bites).toBeGreaterThanOrEqual(3 * troubles.length);
  },
);

manyBotsTest(
  'the store is away from many bots: what runs runs on, nothing is stopped before it can be saved, and all comes when it is back',
  async (field) => {
    const { fleet, minio, host } = field;
    const added = numbered('away', SOME);
    const { made } = fleet;
    const before = uidsOf(field, bots);
    await minio.kill();
    for (const bot of switched) await fleet.bots.remove(bot, {}, signal());
    await fleet.create(added);
    const reasons = async (names: readonly string[], type: string) => {
      const found = await Promise.all(names.map(async (name) => await fleet.bots.get(name, signal())));
      return found.map((one) => {
        const { conditions = [] } = (one?.status ?? {}) as {
          conditions?: { type: string; reason: string }[];
        };
        return conditions.find((condition) => condition.type === type)?.reason;
      });
    };
    const late = AbortSignal.timeout(LIMIT_MS / 2);
    const said = async (names: readonly string[], type: string, reason: RegExp) => {
      while (!(await reasons(names, type)).every((one) => reason.test(one ?? '')))
        await systemClock.sleep(500, late);
    };
    await said(switched, 'Degraded', /^DeletionWaits$/);
    await said(added, 'Ready', /^(StoreAway|Starting|Preparing)$/);
    expect(uidsOf(field, bots)).toEqual(before);
    expect(fleet.made).toBe(made);

    await minio.start();
    await until(field, 'the store is back', () => fleet.running() === COUNT && areOff(field));
    for (const bot of switched)
      while ((await fleet.bots.get(bot, late)) !== undefined) await systemClock.sleep(100, late);
    expect(uidsOf(field, bots.slice(SOME))).toEqual(before.slice(SOME));
    expect([fleet.twice, fleet.made - made]).toEqual([[], SOME]);
    expect(host.child.exitCode).toBeNull();
  },
);
