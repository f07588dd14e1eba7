import type { ScheduleSpec } from '../bots/botSpec.ts';
import { names } from '../bots/names.ts';
import type { Instance } from '../engine/engine.ts';
import { type Due, dueTimes } from '../schedule/due.ts';
import { countEnd } from './countEnd.ts';
import { endInstance } from './endInstance.ts';
import { givenOut, LONGEST_WITHIN_MS, ON_TIME_MS, passedOver } from './givenOut.ts';
import { type Claim, type Recorded, without } from './recorded.ts';
import { finishRun } from './runResult.ts';
import { isOn, setClock } from './setClock.ts';
import type { SeenPresent } from './situation.ts';
import { because, type Reason, record, type Step, step, wait, waitAt } from './step.ts';

/**
 * A scheduled bot: each due time is claimed at most once, and a claim is run at most once. Claimed, created, started, ended,
 * written down: a host that is killed in between goes on at the same place, because the claim is recorded before the
 * instance is made, its existence before it is started, and its name is that of the time.
 */
export function runOnTime(seen: SeenPresent): Step {
  const { recorded, instances, wanted, now } = seen;
  const { schedule, spec } = wanted;
  if (schedule === undefined || spec.schedule === undefined)
    return wait(because('NoSchedule', 'a scheduled bot without a schedule'));
  const stray = instances.find((one) => isLive(one) && !belongsTo(one, recorded.claim));
  if (stray !== undefined) return adoptOrEnd(seen, stray);
  const other = instances.find((one) => one.name === names.bot(seen.bot) && one.state === 'ended');
  if (other !== undefined) return putAway(seen, other);
  const clock = setClock(seen, schedule);
  if (clock !== undefined) return clock;
  // A bot that is off, or another host's, finishes its run and claims nothing.
  const due = isOn(seen) ? dueTimes(schedule, recorded.schedule?.from ?? now, now, 10) : nothingDue;
  if (recorded.claim !== undefined) return doClaimed(seen, recorded.claim, due, spec.schedule);
  if (recorded.stopping !== undefined) return record(without(recorded, 'stopping'), idle(seen, due.next));
  if (!spec.enabled) return wait(because('Disabled', 'it is disabled'));
  // Whoever has it gives its times out.
  const { start, owner } = seen.gates;
  if (owner !== undefined && start !== undefined) return waitAt(start, now);
  if (due.times.length > 0) return givenOut(seen, spec.schedule, schedule, due);
  if (recorded.queued !== undefined) return claim(seen, recorded.queued, 'queued');
  if (recorded.runAsked !== undefined) return claim(seen, recorded.runAsked, 'runAsked');
  return wait(idle(seen, due.next), due.next);
}

const nothingDue: Due = { times: [], earlier: false, next: undefined };

const isLive = (one: Instance) => one.state === 'running' || one.state === 'leaving';

const belongsTo = (one: Instance, claimed: Claim | undefined) =>
  one.role === 'run' && one.run !== undefined && one.run === claimed?.time;

/** A run that goes on and of which nothing is recorded (the records were lost): its claim is recorded anew. */
function adoptOrEnd(seen: SeenPresent, stray: Instance): Step {
  const { recorded, now } = seen;
  if (stray.role !== 'run' || stray.run === undefined || recorded.claim !== undefined)
    return endInstance(
      seen,
      stray,
      stray.role === 'bot' ? 'it is a scheduled bot now' : 'it is not an instance of this bot',
    );
  const adopted = { time: stray.run, claimedAt: stray.createdAt, created: true };
  const from = Math.max(recorded.schedule?.from ?? now, stray.run);
  const schedule = recorded.schedule && { schedule: { ...recorded.schedule, from } };
  return record({ ...recorded, ...schedule, claim: adopted }, because('Running', 'adopted'), {
    type: 'adopted',
    message: `the run of ${new Date(stray.run).toISOString()} was found running`,
    facts: { time: stray.run },
  });
}

/** The instance of the realtime bot that it was: its end means nothing for its times. */
function putAway(seen: SeenPresent, other: Instance): Step {
  const { bot, recorded, wanted, now } = seen;
  const ready = because('Ended', 'the realtime bot that it was has ended');
  if (recorded.ended?.id === other.id)
    return step({ type: 'retire', name: other.name, to: names.ended(bot, other.endedAt ?? now) }, ready);
  const { write, events } = countEnd(recorded, other, wanted.spec.restart, now, seen.toldToEnd);
  return record({ ...without(write, 'held', 'retryAt'), failures: 0 }, ready, ...events.slice(0, 1));
}

function claim(seen: SeenPresent, time: number, field: 'queued' | 'runAsked'): Step {
  const { recorded, now } = seen;
  const claimed = { time, claimedAt: now, created: false };
  return record({ ...without(recorded, field), claim: claimed }, because('Starting', 'claimed'), {
    type: 'claimed',
    message: `the run of ${new Date(time).toISOString()} is given out`,
    facts: { time, late: now - time },
  });
}

/** The next step of a run that has been given out. */
function doClaimed(seen: SeenPresent, claimed: Claim, due: Due, spec: ScheduleSpec): Step {
  const { bot, recorded, instances, now } = seen;
  const instance = instances.find((one) => one.name === names.run(bot, claimed.time));
  // With `missed: all` what is left from before the claim comes after it, one by one.
  const backlog = spec.missed === 'all' && due.times.some((time) => time <= claimed.claimedAt);
  const times = due.times.filter((time) => time <= endOf(claimed, instance, now));
  if (times.length > 0 && !backlog) return passedOver(seen, spec, { ...due, times });
  if (instance?.state === 'ended') return finishRun(seen, claimed, instance);
  if (instance === undefined && claimed.created) return finishRun(seen, claimed, undefined);
  if (instance?.state === 'running' || instance?.state === 'leaving')
    return watchRun(seen, claimed, instance, spec, due.next);
  return begin(seen, claimed, instance, now, recorded);
}

/** Until when a time that comes overlaps with the run. While nobody looked it may have ended, and what came after that is only missed. */
function endOf({ created }: Claim, instance: Instance | undefined, now: number): number {
  if (instance?.state === 'ended') return instance.endedAt ?? now;
  return instance === undefined && created ? Number.NEGATIVE_INFINITY : now;
}

function begin(
  seen: SeenPresent,
  claimed: Claim,
  instance: Instance | undefined,
  now: number,
  recorded: Recorded,
): Step {
  const { gates, wanted } = seen;
  const ready = because('Starting', `the run of ${new Date(claimed.time).toISOString()} is being started`);
  if (gates.owner === 'elsewhere')
    return instance === undefined
      ? finishRun(seen, claimed, undefined, 'another host has the bot')
      : step({ type: 'remove', name: instance.name }, ready);
  if (instance === undefined && now > latestBegin(claimed, wanted.spec.schedule))
    return finishRun(seen, claimed, undefined, 'it could not begin in time');
  if (gates.start !== undefined) return waitAt(gates.start, now);
  if (wanted.hash === undefined) return step({ type: 'prepare' }, ready);
  const created = { ...recorded, claim: { ...claimed, created: true } };
  if (instance === undefined)
    return step({ type: 'create-run', time: claimed.time }, ready, {
      write: { ...created, current: { hash: wanted.hash, spec: wanted.spec } },
    });
  // Seen before it is started: from here on one that is gone is lost, not to be made again.
  if (!claimed.created) return record(created, ready);
  return step({ type: 'start', name: instance.name }, ready, {
    events: [
      {
        type: 'started',
        message: `the run of ${new Date(claimed.time).toISOString()} is started`,
        facts: { time: claimed.time, late: now - claimed.time },
      },
    ],
  });
}

/**
 * `within` holds on for a run that has been given out and waits (for the store, for the end of a drain). One that was late already when it
 * was given out, as behind a run before it, has the same time from then on. Without `within` it is a day, not one period: a machine that
 * is slower than the schedule is late, and not always too late.
 */
function latestBegin({ time, claimedAt }: Claim, spec: ScheduleSpec | undefined): number {
  const within = Math.max(spec?.withinMs ?? LONGEST_WITHIN_MS, ON_TIME_MS);
  return (claimedAt <= time + within ? time : claimedAt) + within;
}

function watchRun(
  seen: SeenPresent,
  claimed: Claim,
  instance: Instance,
  spec: ScheduleSpec,
  next: number | undefined,
): Step {
  const { recorded, now } = seen;
  if (recorded.stopping?.id === instance.id) return endInstance(seen, instance, recorded.stopping.why);
  // Another machine's clock may be behind ours: no run began before it was given out.
  const startedAt = Math.max(instance.startedAt ?? instance.createdAt, claimed.claimedAt);
  const deadline = spec.deadlineMs === undefined ? undefined : startedAt + spec.deadlineMs;
  if (deadline !== undefined && now >= deadline)
    return endInstance(seen, instance, 'its deadline has passed');
  if (recorded.restartAsked !== undefined)
    return record(without(recorded, 'restartAsked'), because('Running', 'a run is never repeated'));
  if (spec.overlap === 'replace' && recorded.queued !== undefined && recorded.queued > claimed.time)
    return endInstance(seen, instance, 'the next run replaces it');
  const ready = {
    status: true,
    reason: 'Running',
    message: `the run of ${new Date(claimed.time).toISOString()} is running since ${new Date(startedAt).toISOString()}`,
  };
  const looks = [deadline, next].filter((time) => time !== undefined);
  return wait(ready, looks.length === 0 ? undefined : Math.min(...looks));
}

function idle({ recorded, now }: SeenPresent, next: number | undefined): Reason {
  const when = next === undefined ? 'no further time' : `next ${new Date(next).toISOString()}`;
  const { from = now } = recorded.schedule ?? {};
  // Nobody would understand why it waits, nor may a time be run for the second time.
  const why = `; the clock was set back, and times until ${new Date(from).toISOString()} have had their turn`;
  return { status: true, reason: 'Waiting', message: from > now ? when + why : when };
}
