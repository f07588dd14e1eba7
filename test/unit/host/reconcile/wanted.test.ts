import { expect, test } from 'vitest';
import type { Instance } from '../../../../src/host/engine/engine.ts';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import { nothingRecorded, type Recorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Wanted } from '../../../../src/host/reconcile/situation.ts';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import { aSchedule, scheduled } from '../../../support/host/aSpec.ts';

const now = Date.parse('2026-06-01T00:00:30Z');
const spec = scheduled('a', { cron: '0 * * * *' });
const schedule = parseSchedule({ ...aSchedule({ cron: '0 * * * *' }), bot: 'a' }, now);
if (typeof schedule === 'string') throw new Error(schedule);
const present: Wanted = { type: 'present', spec, origin: 'a.yaml', hash: 'h', base: undefined, schedule };
/** Kept for its logs. */
const dead = {
  id: 'i',
  name: 'rtr-1-a',
  role: 'run',
  hash: 'h',
  run: 1,
  state: 'ended',
  createdAt: 1,
  endedAt: now,
};

const next = (wanted: Wanted, recorded: Recorded): Recorded | undefined =>
  reconcile({
    bot: 'a',
    wanted,
    instances: [dead as unknown as Instance],
    recorded,
    now,
    gates: { draining: false, start: undefined, replace: true },
  }).write;

test('a bot that waits for its times is marked when the source no longer has it, and not when it has it again', () => {
  const waiting: Recorded = {
    ...nothingRecorded,
    schedule: { key: schedule.key, from: now - 20_000 },
    good: { origin: 'a.yaml', spec },
  };
  expect(next(present, waiting)).toBeUndefined();
  const gone = next({ type: 'absent' }, waiting);
  expect(gone).toEqual({ ...waiting, goneSince: now });
  expect(next({ type: 'absent' }, gone!)).toBeUndefined();
  // Where it was: the times that came meanwhile are missed, and not forgotten.
  expect(next(present, gone!)).toEqual(waiting);
});

test('in a drain a bot that is disabled says so, since it would not run without it', () => {
  const reason = (enabled: boolean) =>
    reconcile({
      bot: 'a',
      wanted: { ...present, spec: { ...spec, enabled } },
      instances: [],
      recorded: { ...nothingRecorded, good: { origin: 'a.yaml', spec: { ...spec, enabled } } },
      now,
      gates: { draining: true, start: undefined, replace: true },
    }).ready.reason;
  expect([reason(false), reason(true)]).toEqual(['Disabled', 'Draining']);
});
