import { expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createHostApi } from '../../../../src/host/api/createHostApi.ts';
import type { HostApi } from '../../../../src/host/api/hostApi.ts';
import { names } from '../../../../src/host/bots/names.ts';
import type { Journal } from '../../../../src/host/journal/event.ts';
import type { Owners } from '../../../../src/host/owners/owners.ts';
import { createHostMetrics } from '../../../../src/host/run/hostMetrics.ts';
import type { SourceWriter } from '../../../../src/host/sources/source.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

interface Given {
  readonly writer?: SourceWriter;
  readonly now?: () => number;
  readonly owners?: Owners;
}

const apiOf = (
  { loop, model }: ReturnType<typeof startModelLoop>,
  { writer, owners, now = Date.now }: Given,
): HostApi =>
  createHostApi({
    loop,
    owners,
    engine: model.engine,
    instances: modelInstances(),
    rollbacks: createModelRollbacks(),
    source: { label: 'model', writer, run: async () => undefined },
    journal: {} as Journal,
    version: '0',
    startedAt: 0,
    now,
    keepDraining: () => undefined,
    makeToken: () => '',
  });

test('a second run that is asked for while the first one waits is refused: it would take its place', async () => {
  const host = startModelLoop();
  onTestFinished(() => host.stop());
  let now = Date.now();
  const api = apiOf(host, { now: () => now++ });
  host.list(scheduled('a', { cron: '@yearly' }));
  const first = await api.run('a');
  // It runs until it is ended: what comes now waits.
  await vi.waitFor(() => expect(host.model.lives.map(({ run }) => run)).toEqual([first]), {
    timeout: 15_000,
  });
  const second = await api.run('a');
  await expect(api.run('a')).rejects.toMatchObject({ code: 'refused' });
  host.model.end(names.run('a', first), 0);
  await vi.waitFor(() => expect(host.model.lives.map(({ run }) => run)).toEqual([first, second]), {
    timeout: 15_000,
  });
});

test('a run of what is no bot says what is wrong with it', async () => {
  const host = startModelLoop();
  onTestFinished(() => host.stop());
  host.loop.observer.listed(new Map([['a', { problems: ['code: missing'], origin: 'a.yaml' }]]));
  await expect(apiOf(host, {}).run('a')).rejects.toMatchObject({
    code: 'refused',
    message: 'a is not a bot yet: code: missing',
  });
});

test('a bot that could not be removed is kept when the source loses it later', async () => {
  const host = startModelLoop();
  onTestFinished(() => host.stop());
  const refused = new RuntimeError('refused', 'a folder with its code');
  const writer = { remove: () => Promise.reject(refused) } as unknown as SourceWriter;
  const api = apiOf(host, { writer });
  host.list(aSpec({ name: 'a' }));
  await vi.waitFor(() => expect(host.running()).toEqual(['a']), { timeout: 20_000 });
  await expect(api.remove('a')).rejects.toBe(refused);
  host.list();
  expect(host.loop.wanted.held).toEqual(['a']);
});

test('what is asked of a bot that another host has is refused, with who has it', async () => {
  const message = 'host b on c has it';
  const host = startModelLoop({ owners: { of: () => ({ type: 'elsewhere', message, ends: true }) } });
  onTestFinished(() => host.stop());
  const api = apiOf(host, {});
  host.list(scheduled('a', { cron: '@yearly' }));
  await expect(api.run('a')).rejects.toMatchObject({ code: 'refused', message });
  await expect(api.rollback('a', 3)).rejects.toMatchObject({ code: 'refused', message });
  expect(api.status()).toMatchObject({ heldElsewhere: 1 });
});

test('bots that wait for the store, and why, are in the status and in the metrics', async () => {
  const why = 'the store refuses each conditional write. Use another';
  let isKnown = false;
  const owners: Owners = {
    of: () => (isKnown ? { type: 'ours' } : { type: 'asking', why }),
    get problem() {
      return isKnown ? undefined : why;
    },
  };
  const host = startModelLoop({ owners });
  onTestFinished(() => host.stop());
  const api = apiOf(host, { owners });
  const metrics = createHostMetrics();
  metrics.watch(api, host.loop.slots);
  host.list(scheduled('a', { cron: '@yearly' }));
  expect(api.status()).toMatchObject({ askingStore: 1, ownersProblem: why });
  const told = await metrics.registry.metrics();
  expect(told).toContain('runtime_host_answers{side="owners"} 0');
  expect(told).toContain('runtime_host_bots_kept_back{why="asking"} 1');
  isKnown = true;
  expect(api.status()).toMatchObject({ askingStore: 0, ownersProblem: undefined });
  expect(await metrics.registry.metrics()).toContain('runtime_host_answers{side="owners"} 1');
});
