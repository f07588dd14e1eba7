import { expect, test } from 'vitest';
import { nothingRecorded, type Recorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Wanted } from '../../../../src/host/reconcile/situation.ts';
import { wishOf } from '../../../../src/host/run/keepOwners.ts';
import { aSpec } from '../../../support/host/aSpec.ts';
import { createModelEngine } from '../../../support/host/modelEngine.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';

const present = (enabled = true): Wanted => ({
  type: 'present',
  spec: aSpec({ name: 'a', enabled }),
  origin: 'a',
  hash: 'h',
  schedule: undefined,
});
const held = { held: { hash: 'h', reason: 'NeedsChange', message: 'm' } } as const;
const unsaved = { ended: { id: 'i', at: 1, exitCode: 74, reason: 'exit code 74' } };
const claim = { claim: { time: 1, claimedAt: 1, created: false } };

test.each<[string, Wanted, Partial<Recorded>, boolean, string]>([
  ['would run', present(), {}, false, 'take'],
  ['is off', present(false), {}, false, 'leave'],
  ['is drained', present(), {}, true, 'leave'],
  ['is drained, and its run is still to be run', present(), claim, true, 'take'],
  ['is drained, and its newest state is on this disk alone', present(), unsaved, true, 'take'],
  ['waits for a change', present(), held, false, 'keep'],
  ['is gone', { type: 'absent' }, {}, false, 'leave'],
  ['has a broken file', { type: 'invalid', problems: [] }, {}, false, 'keep'],
  ['has a source that has not answered', { type: 'unknown' }, {}, false, 'keep'],
])('a bot that %s', (_, wanted, recorded, draining, expected) => {
  const types = new Set(['realtime']);
  const state = { wanted, instances: [], recorded: { ...nothingRecorded, ...recorded } };
  expect(wishOf(state, draining, types)).toBe(expected);
  // Nobody knows what runs.
  expect(wishOf({ ...state, instances: undefined }, draining, types)).toBe('keep');
});

test('what runs is taken whatever is wanted, and a bot of another kind is left', async () => {
  const signal = AbortSignal.timeout(30_000);
  const { engine } = createModelEngine({ now: Date.now });
  const spec = await modelInstances().bot(aSpec({ name: 'a' }), signal);
  await engine.create(spec, signal);
  await engine.start(spec.name, signal);
  const instances = await engine.list(signal);
  const recorded = nothingRecorded;
  for (const wanted of [present(), present(false), { type: 'absent' } as const])
    expect(wishOf({ wanted, instances, recorded }, true, new Set(['realtime']))).toBe('take');
  expect(wishOf({ wanted: present(), instances: [], recorded }, false, new Set(['scheduled']))).toBe('leave');
});
