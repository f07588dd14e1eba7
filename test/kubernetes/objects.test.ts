import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { BotStatus } from '../../src/host/run/cluster/statusOf.ts';
import { botResource } from '../../src/host/sources/kubernetes/resource.ts';
import { createModelEngine } from '../support/host/modelEngine.ts';
import { kubeTest } from '../support/kubernetes/kubeTest.ts';
import { modelReplica } from '../support/kubernetes/modelReplica.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/testNamespace.ts';
import { aBot, botsOf } from '../support/kubernetes/withBots.ts';

const signal = () => AbortSignal.timeout(100_000);

async function here(space: TestNamespace) {
  const bots = await botsOf(space.client, space.name);
  const status = async (name: string) => (await bots.get(name, signal()))?.status as BotStatus | undefined;
  const until = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
    for (const late = signal(); ; await systemClock.sleep(100, late)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    }
  };
  return {
    bots,
    status,
    until,
    phase: (name: string, phase: string) =>
      until(async () => {
        const found = await status(name);
        return found?.phase === phase && found;
      }),
    gone: (name: string) => until(async () => (await bots.get(name, signal())) === undefined),
    events: async (name: string) => {
      const { items } = await space.client.call<{
        items: { involvedObject: { name: string }; type: string; reason: string }[];
      }>({
        op: 'test',
        subject: 'events',
        method: 'GET',
        path: `/api/v1/namespaces/${space.name}/events`,
        signal: signal(),
      });
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason }) => `${type} ${reason}`);
    },
    [Symbol.asyncDispose]: async () => {
      const path = bots.path;
      const { items } = await space.client.call<{ items: { metadata: { name: string } }[] }>({
        ...{ op: 'test', subject: 'bots', method: 'GET', path, signal: signal() },
      });
      for (const { metadata } of items)
        await bots.patch(metadata.name, { metadata: { finalizers: null } }, signal());
    },
  };
}

kubeTest(
  'an object shows what its bot does: phase, conditions, runs, what is wrong, and events',
  async () => {
    await using space = await testNamespace();
    await using cluster = await here(space);
    const model = createModelEngine({ now: Date.now });
    await using _ = await modelReplica(space, model);
    const { bots, phase, until, status, events } = cluster;
    await bots.create(aBot('momentum'), signal());
    const nightly = { type: 'scheduled', schedule: { cron: '0 3 * * *' } };
    await bots.create(aBot('nightly', nightly), signal());
    await bots.create(aBot('wrong', { ...nightly, schedule: { cron: 'every day' } }), signal());

    expect(await phase('momentum', 'running')).toMatchObject({
      observedGeneration: 1,
      reason: 'Running',
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'Ready', status: 'True', observedGeneration: 1 }),
        expect.objectContaining({ type: 'CodeAvailable', status: 'True' }),
      ]),
    });
    const waiting = await phase('nightly', 'waiting');
    expect(waiting.nextRun).toMatch(/T03:00:00Z$/);
    expect((await phase('wrong', 'invalid')).message).toContain('schedule.cron');
    await until(async () => (await events('momentum')).includes('Normal Started'));

    model.end('rt-momentum', 78);
    const held = await phase('momentum', 'held');
    expect(held).toMatchObject({ reason: 'NeedsChange', lastEnd: { exitCode: 78 } });
    await until(async () => (await events('momentum')).includes('Warning Held'));
    await bots.patch('momentum', { spec: { env: { A: 'b' } } }, signal());
    expect((await phase('momentum', 'running')).observedGeneration).toBe(2);
    await bots.patch('momentum', { spec: { enabled: false } }, signal());
    await until(async () => (await status('momentum'))?.phase === 'stopping');
    model.end('rt-momentum', 0);
    await phase('momentum', 'disabled');
  },
);

kubeTest('at rest nothing is written, and another replica finds nothing to write', async () => {
  await using space = await testNamespace();
  await using cluster = await here(space);
  const model = createModelEngine({ now: Date.now });
  const first = await modelReplica(space, model);
  for (const name of ['a', 'b', 'c']) await cluster.bots.create(aBot(name), signal());
  for (const name of ['a', 'b', 'c']) await cluster.phase(name, 'running');
  const versions = async () =>
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await cluster.bots.get(name, signal()))!.metadata.resourceVersion),
    );
  await systemClock.sleep(2_000);
  const before = await versions();
  await first[Symbol.asyncDispose]();
  await using second = await modelReplica(space, model);
  await cluster.until(async () => second.log.some((line) => line.includes('the engine answers')));
  await systemClock.sleep(3_000);
  expect(await versions()).toEqual(before);
});

kubeTest('a bot that is deleted is stopped in order first, and its object stays until then', async () => {
  await using space = await testNamespace();
  await using cluster = await here(space);
  const model = createModelEngine({ now: Date.now });
  await using _ = await modelReplica(space, model);
  const { bots, phase, gone, until } = cluster;
  await bots.create(aBot('momentum'), signal());
  await phase('momentum', 'running');
  await until(async () => (await bots.get('momentum', signal()))!.metadata.finalizers?.length === 1);
  await bots.remove('momentum', {}, signal());
  await until(async () => model.signals.some((sent) => sent.name === 'rt-momentum'));
  expect(model.signals.map((sent) => sent.signal)).toEqual(['SIGTERM']);
  expect(await bots.get('momentum', signal())).toBeDefined();
  model.end('rt-momentum', 0);
  await gone('momentum');
});

kubeTest('a bot whose last state could not be saved stays until somebody says that it may go', async () => {
  await using space = await testNamespace();
  await using cluster = await here(space);
  const model = createModelEngine({ now: Date.now });
  await using _ = await modelReplica(space, model);
  const { bots, phase, gone, until, status } = cluster;
  await bots.create(aBot('momentum'), signal());
  await phase('momentum', 'running');
  await bots.remove('momentum', {}, signal());
  await until(async () => model.signals.some((sent) => sent.name === 'rt-momentum'));
  model.end('rt-momentum', 74);
  const found = await until(async () => {
    const now = await status('momentum');
    return now?.conditions?.some(({ type, reason }) => type === 'Degraded' && reason === 'Unsaved') && now;
  });
  expect(JSON.stringify(found)).toContain(botResource.deleteWithoutSaving);
  const annotations = { [botResource.deleteWithoutSaving]: 'true' };
  await bots.patch('momentum', { metadata: { annotations } }, signal());
  await gone('momentum');
});

kubeTest('the second replica takes over what the first has begun, and starts nothing twice', async () => {
  await using space = await testNamespace();
  await using cluster = await here(space);
  const model = createModelEngine({ now: Date.now });
  const first = await modelReplica(space, model);
  await cluster.bots.create(aBot('momentum'), signal());
  await cluster.phase('momentum', 'running');
  await using second = await modelReplica(space, model);
  await cluster.until(async () => second.log.some((line) => line.includes('has the lease')));
  await cluster.bots.create(aBot('more'), signal());
  await cluster.phase('more', 'running');
  await first[Symbol.asyncDispose]();
  await cluster.bots.create(aBot('after'), signal());
  await cluster.phase('after', 'running');
  expect(model.lives.map(({ bot }) => bot)).toEqual(['momentum', 'more', 'after']);
});
