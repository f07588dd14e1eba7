import type { ScheduleSpec } from '../bots/botSpec.ts';
import type { Due } from '../schedule/due.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Recorded } from './recorded.ts';
import type { SeenPresent } from './situation.ts';
import { because, record, type Step, type StepEvent } from './step.ts';

/** A run that begins this late was not missed: the host was busy. */
export const ON_TIME_MS = 30_000;
export const LONGEST_WITHIN_MS = 24 * 3_600_000;

/**
 * Gives out one of the times that are due and none is running: claims it, and says of the others why they are not run. What
 * was late for longer than `within` is lost; of the rest, `missed` says which are run.
 */
export function givenOut(seen: SeenPresent, spec: ScheduleSpec, schedule: Schedule, due: Due): Step {
  const { recorded, now } = seen;
  const first = due.times[0]!;
  const within = spec.withinMs ?? Math.min(LONGEST_WITHIN_MS, (schedule.next(first) ?? now) - first);
  const inTime = due.times.filter((time) => now - time <= Math.max(within, ON_TIME_MS));
  const wanted = inTime.filter((time) => spec.missed !== 'skip' || now - time <= ON_TIME_MS);
  const chosen = spec.missed === 'all' ? wanted[0] : wanted.at(-1);
  // With `all` the later ones stay due, but where the next time counts from this claim.
  const keepsLater = spec.missed === 'all' && chosen !== undefined && schedule.everyMs === undefined;
  const last = keepsLater ? chosen : due.times.at(-1)!;
  const lost = due.times.filter((time) => time <= last && time !== chosen);
  const events: StepEvent[] = [];
  if (due.earlier || lost.length > 0) {
    const from = due.earlier ? (recorded.schedule?.from ?? first) + 1 : lost[0]!;
    const to = lost.at(-1) ?? first - 1;
    events.push(missedEvent(spec, from, to, chosen));
  }
  if (chosen !== undefined)
    events.push({
      type: 'claimed',
      message: `the run of ${iso(chosen)} is given out`,
      facts: { time: chosen, late: now - chosen },
    });
  const claim = chosen === undefined ? {} : { claim: { time: chosen, claimedAt: now, created: false } };
  const from = schedule.everyMs === undefined ? last : now;
  return record({ ...moved(recorded, from), ...claim }, because('Starting', 'a run is due'), ...events);
}

/** Times that come due while a run goes on: `overlap` says what becomes of them. */
export function passedOver({ recorded }: SeenPresent, spec: ScheduleSpec, due: Due): Step {
  const last = due.times.at(-1)!;
  const keeps =
    spec.overlap === 'replace'
      ? last
      : spec.overlap === 'queue'
        ? (recorded.queued ?? due.times[0]!)
        : undefined;
  const lost = due.times.filter((time) => time !== keeps);
  const events: StepEvent[] = [];
  if (spec.overlap === 'replace' && recorded.queued !== undefined) lost.unshift(recorded.queued);
  if (lost.length > 0 || due.earlier) {
    const from = due.earlier ? (recorded.schedule?.from ?? lost[0]!) + 1 : lost[0]!;
    events.push({
      type: 'skipped',
      message: `not run, because the run before is still running: ${span(from, lost.at(-1) ?? from)}`,
      facts: { from, to: lost.at(-1) ?? from },
    });
  }
  if (keeps !== undefined && keeps !== recorded.queued)
    events.push({
      type: 'queued',
      message: `the run of ${iso(keeps)} waits for the one before`,
      facts: { time: keeps },
    });
  const queued = keeps === undefined ? {} : { queued: keeps };
  return record({ ...moved(recorded, last), ...queued }, because('Running', 'a run goes on'), ...events);
}

function missedEvent(spec: ScheduleSpec, from: number, to: number, chosen: number | undefined): StepEvent {
  const instead = chosen === undefined ? '' : `; the run of ${iso(chosen)} stands for them`;
  return {
    type: 'missed',
    message: `not run, because the host could not in time (missed: ${spec.missed}): ${span(from, to)}${instead}`,
    facts: { from, to },
  };
}

function moved(recorded: Recorded, from: number): Recorded {
  const { schedule } = recorded;
  return schedule === undefined ? recorded : { ...recorded, schedule: { ...schedule, from } };
}

const iso = (time: number) => new Date(time).toISOString();
export const span = (from: number, to: number) => (to <= from ? iso(from) : `${iso(from)} to ${iso(to)}`);
