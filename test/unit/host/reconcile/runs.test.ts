import { expect, test } from 'vitest';
import { names } from '../../../../src/host/bots/names.ts';
import type { NewEvent } from '../../../../src/host/journal/event.ts';
import { perform } from '../../../../src/host/reconcile/perform.ts';
import { reconcile } from '../../../../src/host/reconcile/reconcile.ts';
import { nothingRecorded } from '../../../../src/host/reconcile/recorded.ts';
import type { Gates, Situation } from '../../../../src/host/reconcile/situation.ts';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import { type aSchedule, scheduled } from '../../../support/host/aSpec.ts';
import { createModelEngine } from '../../../support/host/modelEngine.ts';
import { modelInstances, modelRecords } from '../../../support/host/modelHost.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

const due = Date.parse('2026-06-01T09:00:00Z');
const away = { reason: 'HostFull', message: 'no room' };
const signal = AbortSignal.timeout(30_000);
const iso = (time: number) => new Date(time).toISOString();
const hour = 3_600_000;

function parsed(schedule: ReturnType<typeof parseSchedule>) {
  if (typeof schedule === 'string') throw new Error(schedule);
  return schedule;
}

/** One bot on a host, stepped by hand at a time of the test's. */
function host(changes: Parameters<typeof aSchedule>[0] = {}) {
  const spec = scheduled('a', { cron: '0 9 * * *', ...changes });
  let now = due - 60_000;
  const model = createModelEngine({ now: () => now });
  const { records } = modelRecords();
  const instances = modelInstances();
  const told: NewEvent[] = [];
  const hands = { engine: model.engine, instances, records, rollbacks: createModelRollbacks() };
  const schedule = parsed(parseSchedule({ ...spec.schedule!, bot: 'a' }, now));
  const gates: { -readonly [K in keyof Gates]: Gates[K] } = {
    draining: false,
    start: undefined,
    replace: true,
  };

  const wanted = { enabled: true };

  async function settle(read = schedule): Promise<void> {
    for (let steps = 0; steps < 50; steps += 1) {
      const situation: Situation = {
        ...{ bot: 'a', now, gates, recorded: records.get('a') ?? nothingRecorded },
        wanted: {
          type: 'present',
          spec: { ...spec, ...wanted },
          origin: 'a',
          hash: instances.hash(spec),
          schedule: read,
        },
        instances: await model.engine.list(signal),
      };
      const step = reconcile(situation);
      if (step.action.type === 'nothing') return;
      await perform(step, situation, { ...hands, tell: (event) => void told.push(event) }, signal);
    }
    throw new Error('it never comes to rest');
  }
  return {
    model,
    instances,
    records,
    wanted,
    gates,
    recorded: () => records.get('a'),
    told: (type: string) => told.filter((event) => event.type === type).map(({ message }) => message),
    /** The time comes, and nobody looks. */
    unseen: (time: number) => {
      now = time;
    },
    at: async (time: number, read = schedule) => {
      now = time;
      await settle(read);
    },
  };
}

test('a run whose name another host has is lost here, and not run once the name is free', async () => {
  const { model, recorded, told, at } = host();
  await at(due - 60_000);
  const name = names.run('a', due);
  model.foreign.add(name);
  await at(due);
  expect(recorded()).toMatchObject({ lastRun: { time: due, outcome: 'lost' } });
  expect(recorded().claim).toBeUndefined();
  expect(told('lost')).toEqual([expect.stringContaining(`the name ${name} is taken`)]);
  model.foreign.clear();
  await at(due + 60_000);
  expect(model.lives).toEqual([]);
  // The next day it has the name, and runs it.
  await at(due + 24 * 3_600_000);
  expect(model.lives.map(({ run }) => run)).toEqual([due + 24 * 3_600_000]);
});

test('a bot that was realtime ends in order, is put away, and counts as no failure', async () => {
  const { model, instances, recorded, told, at } = host();
  const before = await instances.bot(scheduled('a'), signal);
  await model.engine.create(before, signal);
  await model.engine.start(before.name, signal);
  await at(due - 120_000);
  expect(model.signals).toMatchObject([{ name: 'rt-a', signal: 'SIGTERM' }]);
  model.end('rt-a', 143);
  await at(due - 60_000);
  expect([...model.instances.keys()]).toEqual([expect.stringMatching(/^rtd-.*-a$/)]);
  expect(told('ended')).toEqual(['rt-a ended: exit code 143, after a stop: it is a scheduled bot now']);
  expect(recorded().failures).toBe(0);
  await at(due);
  expect(model.lives.map(({ run }) => run)).toEqual([undefined, due]);
});

test('a bot that is disabled forgets the runs that wait, and says so', async () => {
  const { records, told, wanted, recorded, at } = host();
  await at(due - 60_000);
  await records.put('a', { ...recorded(), queued: due - 100_000, runAsked: due - 90_000 });
  wanted.enabled = false;
  await at(due - 50_000);
  expect(told('skipped')).toEqual([
    `not run, because the bot is disabled: ${iso(due - 100_000)}`,
    `not run, because the bot is disabled: ${iso(due - 90_000)}`,
  ]);
  expect(recorded().queued ?? recorded().runAsked ?? recorded().schedule).toBeUndefined();
});

test('within holds on for a run that has been given out and waits', async () => {
  const { model, gates, recorded, told, at } = host({ withinMs: 3_600_000 });
  await at(due - 60_000);
  gates.start = away;
  await at(due);
  expect(recorded().claim).toMatchObject({ time: due });
  await at(due + 3_600_001);
  expect(told('lost')).toEqual([expect.stringContaining('could not begin in time')]);
  gates.start = undefined;
  await at(due + 3_700_000);
  expect(model.lives).toEqual([]);
});

test.each([
  ['within', { withinMs: 3_600_000 }, due + 3_500_000],
  ['without it, within a day', {}, due + 23 * 3_600_000],
])('negative control: %s it runs, late', async (_, changes, until) => {
  const { model, gates, at } = host(changes);
  await at(due - 60_000);
  gates.start = away;
  await at(due);
  gates.start = undefined;
  await at(until);
  expect(model.lives.map(({ run }) => run)).toEqual([due]);
});

test('a run that is given out and not begun is lost when another host takes the bot over, whatever is made of it', async () => {
  const { model, gates, recorded, told, at } = host();
  await at(due - 60_000);
  gates.start = away;
  await at(due);
  expect(recorded().claim).toMatchObject({ time: due });
  const elsewhere = {
    owner: 'elsewhere',
    start: { reason: 'HeldElsewhere', message: 'host b has it' },
  } as const;
  Object.assign(gates, elsewhere);
  await at(due + 1_000);
  expect(told('lost')).toEqual([expect.stringContaining('another host has the bot')]);
  Object.assign(gates, { owner: undefined, start: undefined });
  await at(due + 2_000);
  expect(recorded().claim).toBeUndefined();
  expect(model.lives).toEqual([]);
  // The next time is this host's again.
  await at(due + 24 * 3_600_000);
  expect(model.lives.map(({ run }) => run)).toEqual([due + 24 * 3_600_000]);
});

test('a run that goes on when another host takes the bot over goes on to its end', async () => {
  const { model, gates, recorded, at } = host();
  await at(due - 60_000);
  await at(due);
  expect(model.lives.map(({ run }) => run)).toEqual([due]);
  Object.assign(gates, { owner: 'elsewhere', start: away, leave: 'host b has it' });
  await at(due + 1_000);
  expect(model.signals).toEqual([]);
  model.end(names.run('a', due), 0);
  await at(due + 2_000);
  expect(recorded()).toMatchObject({ lastRun: { time: due, outcome: 'done' } });
});

test('@every with missed: all after an outage runs one, and says of each of the others that it is not run', async () => {
  const { model, told, recorded, at } = host({ cron: '@every 1h', missed: 'all', withinMs: 24 * hour });
  const start = due - 60_000;
  await at(start);
  await at(start + 4 * hour + 1);
  expect(model.lives.map(({ run }) => run)).toEqual([start + hour]);
  expect(told('missed')).toEqual([
    `not run, because the host could not in time (missed: all): ${iso(start + 2 * hour)} to ${iso(start + 4 * hour)}; the run of ${iso(start + hour)} stands for them`,
  ]);
  // The next one counts from the claim.
  expect(recorded().schedule?.from).toBe(start + 4 * hour + 1);
});

test('negative control: with times of the day missed: all runs each of them, and says nothing', async () => {
  const { model, told, at } = host({ cron: '0 * * * *', missed: 'all', withinMs: 24 * hour });
  await at(due - 60_000);
  await at(due + 2 * hour + 1);
  for (const time of [due, due + hour, due + 2 * hour]) {
    expect(model.lives.at(-1)?.run).toBe(time);
    model.end(names.run('a', time), 0);
    await at(due + 2 * hour + 2);
  }
  expect(told('missed')).toEqual([]);
});

test('a bot that is disabled while its host is down says which of its times is not run', async () => {
  const { told, wanted, recorded, at } = host();
  await at(due - 60_000);
  wanted.enabled = false;
  await at(due + hour);
  expect(told('skipped')).toEqual([`not run, because the bot is disabled: ${iso(due)}`]);
  expect(recorded().schedule).toBeUndefined();
  // Once, and nothing of the times while it is off.
  await at(due + 25 * hour);
  expect(told('skipped').length).toBe(1);
});

test('negative control: one that is disabled before its time has nothing to say', async () => {
  const { told, wanted, at } = host();
  await at(due - 60_000);
  wanted.enabled = false;
  await at(due - 1);
  await at(due + hour);
  expect(told('skipped')).toEqual([]);
});

test('a schedule that is changed while the host is down says which of the times before is not run', async () => {
  const { told, wanted, recorded, at } = host();
  await at(due - 60_000);
  const changed = scheduled('a', { cron: '30 9 * * *' });
  const schedule = parsed(parseSchedule({ ...changed.schedule!, bot: 'a' }, due));
  Object.assign(wanted, { schedule: changed.schedule });
  await at(due + hour, schedule);
  expect(told('skipped')).toEqual([`not run, because its schedule has changed since: ${iso(due)}`]);
  expect(recorded().schedule).toMatchObject({ key: schedule.key, from: due + hour });
});

test.each(['skip', 'queue', 'replace'] as const)(
  'what came after a run had ended, and was not seen to, overlaps with nothing (overlap: %s)',
  async (overlap) => {
    const { model, told, at, unseen } = host({ overlap });
    await at(due - 60_000);
    await at(due);
    unseen(due + 600_000);
    model.end(names.run('a', due), 0);
    // The host was away for a day.
    await at(due + 24 * hour + 300_000);
    expect(model.lives.map(({ run }) => run)).toEqual([due, due + 24 * hour]);
    expect([...told('skipped'), ...told('missed'), ...told('queued')]).toEqual([]);
  },
);

test('negative control: what came before its end does, seen or not', async () => {
  const { model, told, at, unseen } = host();
  await at(due - 60_000);
  await at(due);
  unseen(due + 24 * hour + 60_000);
  model.end(names.run('a', due), 0);
  await at(due + 24 * hour + 300_000);
  expect(model.lives.map(({ run }) => run)).toEqual([due]);
  expect(told('skipped')).toEqual([expect.stringContaining(iso(due + 24 * hour))]);
});

test('of a run whose instance is gone nobody says that it is still running', async () => {
  const { model, told, at } = host();
  await at(due - 60_000);
  await at(due);
  model.instances.clear();
  await at(due + 24 * hour + 300_000);
  expect(told('lost')).toEqual([expect.stringContaining(iso(due))]);
  expect(told('skipped')).toEqual([]);
  expect(model.lives.at(-1)?.run).toBe(due + 24 * hour);
});
