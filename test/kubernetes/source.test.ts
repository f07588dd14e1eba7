import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { RuntimeError } from '../../src/base/errors.ts';
import {
  type KubernetesSourceOptions,
  openKubernetesSource,
} from '../../src/host/sources/kubernetes/openKubernetesSource.ts';
import { botResource } from '../../src/host/sources/kubernetes/resource.ts';
import type { Listing } from '../../src/host/sources/source.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/testNamespace.ts';
import { aBot, botsOf } from '../support/kubernetes/withBots.ts';

const signal = () => AbortSignal.timeout(100_000);

type CanSave = KubernetesSourceOptions['canSave'];

async function start(space: TestNamespace, canSave: CanSave = async () => {}) {
  const bots = await botsOf(space.client, space.name);
  const source = openKubernetesSource({
    client: space.client,
    namespace: space.name,
    clock: systemClock,
    random: Math.random,
    canSave,
  });
  const over = new AbortController();
  const seen: { listing: Listing; meant: ReadonlySet<string> } = { listing: new Map(), meant: new Set() };
  const failures: unknown[] = [];
  /** Of which it has been told that they wait. */
  const waiting = new Set<string>();
  source.onChange((bot) => {
    if (source.waits.has(bot)) waiting.add(bot);
  });
  const running = source.run(
    {
      listed: (listing, meant = new Set()) => Object.assign(seen, { listing, meant }),
      failed: (error) => void failures.push(error),
    },
    over.signal,
  );
  const until = async (what: () => unknown) => {
    const late = signal();
    while (!what()) await systemClock.sleep(20, late);
  };
  return {
    bots,
    source,
    seen,
    failures,
    waiting,
    until,
    spec: (bot: string) => {
      const entry = seen.listing.get(bot);
      return entry !== undefined && 'spec' in entry ? entry.spec : undefined;
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await running;
      const { items } = await space.client.call<{ items: { metadata: { name: string } }[] }>({
        op: 'test',
        subject: 'bots',
        method: 'GET',
        path: bots.path,
        signal: signal(),
      });
      for (const { metadata } of items)
        await bots.patch(metadata.name, { metadata: { finalizers: null } }, signal());
    },
  };
}

kubeTest('a Bot is wanted, changed, and no more; what is wrong with one is its own', async () => {
  await using space = await testNamespace();
  await using here = await start(space);
  await here.bots.create(
    aBot('momentum', { resources: { memory: '256Mi' }, config: { symbol: 'BTC/USD' } }),
    signal(),
  );
  await here.bots.create(aBot('wrong', { schedule: undefined, stop: { timeout: 'soon' } }), signal());
  await here.bots.create(aBot('odd', { name: 'Odd_Name.1' }), signal());
  await here.until(() => here.seen.listing.size === 3);
  expect(here.spec('momentum')).toMatchObject({
    resources: { memoryBytes: 2 ** 28 },
    config: '{"symbol":"BTC/USD"}',
  });
  expect(here.seen.listing.get('wrong')).toMatchObject({
    problems: [expect.stringContaining('stop.timeout')],
  });
  expect(here.spec('Odd_Name.1')?.name).toBe('Odd_Name.1');

  const before = here.spec('momentum');
  // A status is nothing of what is wanted: the very same specification stays.
  await here.bots.patch('momentum', { status: { phase: 'running' } }, signal(), 'status');
  await here.until(() => here.source.known('momentum')?.status.includes('running'));
  expect(here.spec('momentum')).toBe(before);
  await here.bots.patch('momentum', { spec: { enabled: false } }, signal());
  await here.until(() => here.spec('momentum')?.enabled === false);
  await here.bots.remove('momentum', {}, signal());
  await here.until(() => !here.seen.listing.has('momentum'));
});

kubeTest('the cluster refuses what is no bot before anybody has to read it', async () => {
  await using space = await testNamespace();
  await using here = await start(space);
  const wrong = [{ type: 'sometimes' }, { type: 'scheduled' }, { code: {} }, { resources: { pids: 1 } }];
  for (const spec of wrong)
    await expect(here.bots.create(aBot('wrong', spec), signal())).rejects.toMatchObject({ code: 'refused' });
});

kubeTest('commands write to the objects: apply, disable, enable, rm', async () => {
  await using space = await testNamespace();
  await using here = await start(space);
  const writer = here.source.writer!;
  const yaml = (name: string, extra = '') =>
    `name: ${name}\ntype: realtime\nruntime: python3.11\ncode: {file: a/code.tar}\nentrypoints: {bot: main.py}\n${extra}`;
  expect(await writer.apply(yaml('momentum', 'env: {A: x}\n'))).toBe('momentum');
  expect(await writer.apply(yaml('Momentum_2'))).toBe('Momentum_2');
  await here.until(() => here.seen.listing.size === 2);
  expect((await here.bots.get('momentum', signal()))!.metadata.finalizers).toEqual([botResource.finalizer]);
  // The whole of it is replaced.
  await writer.apply(yaml('momentum'));
  await here.until(() => here.spec('momentum')?.env.A === undefined);
  await writer.enable('Momentum_2', false);
  await here.until(() => here.spec('Momentum_2')?.enabled === false);
  await expect(writer.apply('name: x\n')).rejects.toMatchObject({ code: 'config' });
  await expect(writer.enable('nobody', true)).rejects.toMatchObject({ code: 'not-found' });
  await writer.remove('momentum');
  await here.until(() => here.seen.meant.has('momentum'));
});

kubeTest(
  'a bot that is deleted is wanted until the store answers, or until nobody waits for it',
  async () => {
    await using space = await testNamespace();
    let isAway = true;
    await using here = await start(space, async () => {
      if (isAway) throw new RuntimeError('unavailable', 'the store is away');
    });
    const finalizers = [botResource.finalizer];
    for (const name of ['a', 'b']) await here.bots.create(aBot(name, {}, { finalizers }), signal());
    await here.until(() => here.seen.listing.size === 2);
    for (const name of ['a', 'b']) await here.bots.remove(name, {}, signal());
    await here.until(() => here.source.waits.size === 2);
    // Told of each, or its status would not say it.
    await here.until(() => here.waiting.size === 2);
    expect([...here.seen.listing.keys()]).toEqual(['a', 'b']);
    const goes = { metadata: { annotations: { [botResource.deleteWithoutSaving]: 'true' } } };
    await here.bots.patch('a', goes, signal());
    await here.until(() => !here.seen.listing.has('a'));
    expect([...here.seen.listing.keys()]).toEqual(['b']);
    isAway = false;
    await here.until(() => here.seen.listing.size === 0);
    expect([...here.seen.meant].sort()).toEqual(['a', 'b']);
  },
);

kubeTest(
  'a bot that is deleted and let go by somebody is meant to be gone, whatever the store does',
  async () => {
    await using space = await testNamespace();
    await using here = await start(
      space,
      (_, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await here.bots.create(aBot('a', {}, { finalizers: [botResource.finalizer] }), signal());
    await here.until(() => here.seen.listing.size === 1);
    await here.bots.remove('a', {}, signal());
    // A store that says nothing at all is said to be waited for.
    await here.until(() => here.source.waits.get('a')?.includes('has not answered'));
    await here.bots.patch('a', { metadata: { finalizers: null } }, signal());
    await here.until(() => here.seen.listing.size === 0);
    expect([...here.seen.meant]).toEqual(['a']);
    expect(here.source.waits.size).toBe(0);
  },
);

kubeTest('two objects that are the same bot are neither', async () => {
  await using space = await testNamespace();
  await using here = await start(space);
  await here.bots.create(aBot('one', { name: 'same' }), signal());
  await here.bots.create(aBot('two', { name: 'same' }), signal());
  await here.until(() => 'problems' in (here.seen.listing.get('same') ?? {}));
  await here.bots.remove('two', {}, signal());
  await here.until(() => here.spec('same') !== undefined);
});
