import { expect, test } from 'vitest';
import type { BotSpec } from '../../../../src/host/bots/botSpec.ts';
import type { Instance } from '../../../../src/host/engine/engine.ts';
import { countEnd } from '../../../../src/host/reconcile/countEnd.ts';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import { nothingRecorded, type Recorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Step } from '../../../../src/host/reconcile/step.ts';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import { aSchedule, aSpec, scheduled } from '../../../support/host/aSpec.ts';

/** Clocks that were set back, and clocks of other machines: none of them makes a bot wait, or end, for as long as they are wrong. */

const NOW = Date.parse('2026-06-01T00:00:00Z');
const HOUR = 3_600_000;

const instance = (more: Partial<Instance>): Instance =>
  ({ id: 'i1', name: 'rt-a', role: 'bot', hash: 'h', state: 'running', createdAt: NOW, ...more }) as Instance;

function look(
  recorded: Partial<Recorded>,
  instances: readonly Instance[],
  { spec = aSpec({ name: 'a' }), now = NOW }: { spec?: BotSpec; now?: number } = {},
): Step {
  const schedule = spec.schedule && parseSchedule({ ...spec.schedule, bot: 'a' }, now);
  if (typeof schedule === 'string') throw new Error(schedule);
  const good = { origin: 'a.yaml', spec };
  const before: Recorded = { ...nothingRecorded, current: { hash: 'h', spec }, good, ...recorded };
  return reconcile({
    bot: 'a',
    wanted: { type: 'present', spec, origin: 'a.yaml', hash: 'h', base: undefined, schedule },
    instances,
    recorded: before,
    now,
    gates: { draining: false, start: undefined, replace: true },
  });
}

test.each([
  ['an hour ahead of ours', HOUR],
  ['as ours', 0],
  ['an hour behind', -HOUR],
])('a restart ends what runs, and once, where the clock of its machine is %s', (_, skew) => {
  const first = look({ restartAsked: NOW }, [instance({ startedAt: NOW - 60_000 + skew })]);
  expect(first.write).toMatchObject({ stopping: { id: 'i1', why: 'a restart was asked for' } });
  expect(first.write).not.toHaveProperty('restartAsked');
  // What has been started in its place a moment later is left alone.
  const { stopping: _stopping, ...after } = first.write!;
  const next = look(after, [instance({ id: 'i2', startedAt: NOW + 1_000 + skew })], { now: NOW + 2_000 });
  expect(next.action.type).toBe('nothing');
});

test('a restart of what does not run is the next start', () => {
  const { write } = look({ restartAsked: NOW }, []);
  expect(write).not.toHaveProperty('restartAsked');
  expect(look(write!, []).action.type).toBe('create');
});

test('a pause that was begun before the clock was set back is over; one that is as long as it may be is not', () => {
  const failed = { failures: 3, ended: { id: 'i0', at: NOW, exitCode: 1, reason: 'exit code 1' } };
  expect(look({ ...failed, retryAt: NOW + 10 * HOUR }, []).action.type).toBe('create');
  const pause = look({ ...failed, retryAt: NOW + 300_000 }, []);
  expect(pause).toMatchObject({ action: { type: 'nothing' }, lookAt: NOW + 300_000 });
});

test.each([-HOUR, 0, HOUR])(
  'a bot that fails is paused though the clock that says when it ended is off by %s ms',
  (skew) => {
    const { restart } = aSpec();
    const dead = instance({ state: 'ended', startedAt: NOW + skew, endedAt: NOW + skew, exitCode: 1 });
    expect(countEnd({ ...nothingRecorded, failures: 4 }, dead, restart, NOW).write.retryAt).toBe(
      NOW + 16_000,
    );
  },
);

test('a stop that was begun before the clock was set back has its time from then on, and no more', () => {
  const stopping = { id: 'i1', since: NOW + 10 * HOUR, graceMs: 30_000, asked: true, why: 'it is disabled' };
  const spec = aSpec({ name: 'a', enabled: false });
  const runs = [instance({ startedAt: NOW - 1_000 })];
  const { write } = look({ stopping }, runs, { spec });
  expect(write).toMatchObject({ stopping: { ...stopping, since: NOW } });
  expect(look(write!, runs, { spec, now: NOW + 34_000 }).action.type).toBe('nothing');
  expect(look(write!, runs, { spec, now: NOW + 35_000 }).action.type).toBe('kill');
});

test('a run on a machine whose clock is behind has its whole deadline', () => {
  const spec = scheduled('a', { ...aSchedule(), deadlineMs: 120_000 });
  const claim = { time: NOW, claimedAt: NOW, created: true };
  const key = parseSchedule({ ...spec.schedule!, bot: 'a' }, NOW) as { key: string };
  const recorded = { claim, schedule: { key: key.key, from: NOW } };
  const runs = [
    instance({ role: 'run', run: NOW, name: `rtr-${NOW.toString(36)}-a`, startedAt: NOW - HOUR }),
  ];
  expect(look(recorded, runs, { spec, now: NOW + 119_000 }).action.type).toBe('nothing');
  expect(look(recorded, runs, { spec, now: NOW + 120_000 }).write).toMatchObject({
    stopping: { why: 'its deadline has passed' },
  });
});

test('a scheduled bot runs no time twice when the clock was set back, and says what it waits for', () => {
  const spec = scheduled('a', aSchedule());
  const { key } = parseSchedule({ ...spec.schedule!, bot: 'a' }, NOW) as { key: string };
  const waiting = look({ schedule: { key, from: NOW + HOUR } }, [], { spec });
  expect(waiting).toMatchObject({ action: { type: 'nothing' }, lookAt: NOW + HOUR + 600_000 });
  expect(waiting.ready.message).toMatch(/the clock was set back, and times until 2026-06-01T01:00:00.000Z/);
  expect(look({ schedule: { key, from: NOW } }, [], { spec }).ready.message).not.toMatch(/clock/);
});
