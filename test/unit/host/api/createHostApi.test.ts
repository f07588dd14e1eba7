import { expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { createHostApi } from '../../../../src/host/api/createHostApi.ts';
import type { Journal } from '../../../../src/host/journal/event.ts';
import type { SourceWriter } from '../../../../src/host/sources/source.ts';
import { aSpec } from '../../../support/host/aSpec.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

test('a bot that could not be removed is kept when the source loses it later', async () => {
  const host = startModelLoop();
  onTestFinished(() => host.stop());
  const refused = new RuntimeError('refused', 'a folder with its code');
  const writer = { remove: () => Promise.reject(refused) } as unknown as SourceWriter;
  const api = createHostApi({
    loop: host.loop,
    engine: host.model.engine,
    instances: modelInstances(),
    rollbacks: createModelRollbacks(),
    source: { label: 'model', writer, run: async () => undefined },
    journal: {} as Journal,
    version: '0',
    startedAt: 0,
    now: Date.now,
    keepDraining: () => undefined,
    makeToken: () => '',
  });
  host.list(aSpec({ name: 'a' }));
  await vi.waitFor(() => expect(host.running()).toEqual(['a']));
  await expect(api.remove('a')).rejects.toBe(refused);
  host.list();
  expect(host.loop.wanted.held).toEqual(['a']);
});
