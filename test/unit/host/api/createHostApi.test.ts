import { expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createHostApi } from '../../../../src/host/api/createHostApi.ts';
import type { HostApi } from '../../../../src/host/api/hostApi.ts';
import { names } from '../../../../src/host/bots/names.ts';
import type { Journal } from '../../../../src/host/journal/event.ts';
import type { SourceWriter } from '../../../../src/host/sources/source.ts';
import { aSpec, scheduled } from '../../../support/host/aSpec.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

interface Given {
  readonly writer?: SourceWriter;
  readonly now?: () => number;
}

const apiOf = (
  { loop, model }: ReturnType<typeof startModelLoop>,
  { writer, now = Date.now }: Given,
): HostApi =>
  createHostApi({
    loop,
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
