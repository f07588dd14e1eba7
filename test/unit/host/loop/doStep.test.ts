import { expect, test } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { doStep } from '../../../../src/host/loop/doStep.ts';
import type { EngineView } from '../../../../src/host/loop/engineView.ts';
import { createSlots } from '../../../../src/host/loop/slots.ts';
import { createStoreGate } from '../../../../src/host/loop/storeGate.ts';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import { nothingRecorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Situation } from '../../../../src/host/reconcile/situation.ts';
import { aSpec } from '../../../support/host/aSpec.ts';
import { createModelEngine } from '../../../support/host/modelEngine.ts';
import { modelInstances, modelRecords } from '../../../support/host/modelHost.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

const now = 1_000_000;
const spec = aSpec({ name: 'a' });

/** What its own disk or the engine does not do is no sign that the store does not answer, for which all bots would wait. */
test.each([
  ['store.get', true],
  ['engine.create', false],
  ['disk.hold', false],
])('a bot that is not made because of %s: the store is away is %s', async (op, isAway) => {
  const before: Situation = {
    bot: 'a',
    wanted: { type: 'present', spec, origin: 'a.yaml', hash: 'h', base: 'b', schedule: undefined },
    instances: [],
    recorded: {
      ...nothingRecorded,
      current: { hash: 'h', spec, base: 'b' },
      good: { origin: 'a.yaml', spec },
    },
    now,
    gates: { draining: false, start: undefined, replace: true },
  };
  const step = reconcile(before);
  expect(step.action.type).toBe('create');
  const error = new RuntimeError('unavailable', 'away', { op });
  const store = createStoreGate();
  const deps = {
    hands: {
      engine: createModelEngine({ now: () => now }).engine,
      instances: { ...modelInstances(), hold: () => Promise.reject(error) },
      records: modelRecords().records,
      rollbacks: createModelRollbacks(),
      tell: () => undefined,
    },
    view: { refresh: async () => undefined } as unknown as EngineView,
    slots: createSlots({ code: 1, start: 1, end: 1 }),
    store,
    now: () => now,
    situation: () => before,
    observe: () => undefined,
  };
  await expect(doStep(step, before, deps, new AbortController().signal)).rejects.toBe(error);
  expect(store.awaySince !== undefined).toBe(isAway);
});
