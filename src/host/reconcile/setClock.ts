import { dueTimes } from '../schedule/due.ts';
import { parseSchedule } from '../schedule/parseSchedule.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { span } from './givenOut.ts';
import { type Recorded, without } from './recorded.ts';
import type { SeenPresent } from './situation.ts';
import { because, record, type Step, type StepEvent } from './step.ts';

/** Times in one event. */
const MOST = 10;

/** Times of it are given out here. */
export const isOn = ({ wanted, gates }: SeenPresent): boolean =>
  wanted.spec.enabled && gates.owner !== 'elsewhere';

/**
 * The times that count begin when the bot is enabled, and anew with another schedule: nothing has been missed then. What came due before
 * that, while nobody could give it out, is not run, and that is told.
 */
export function setClock(seen: SeenPresent, schedule: Schedule): Step | undefined {
  const { recorded, wanted, now } = seen;
  if (!isOn(seen)) {
    const waiting = [recorded.queued, recorded.runAsked].filter((time) => time !== undefined);
    if (recorded.schedule === undefined && waiting.length === 0) return undefined;
    const [state, why] = wanted.spec.enabled
      ? ['HeldElsewhere', 'another host has the bot']
      : ['Disabled', 'the bot is disabled'];
    // Whoever has it tells of its times.
    const late = wanted.spec.enabled ? [] : overtaken(seen, schedule, why);
    const asked = waiting.map((time) => skipped(why, time, time));
    return record(
      without(recorded, 'schedule', 'queued', 'runAsked'),
      because(state, why),
      ...late,
      ...asked,
    );
  }
  const { key } = schedule;
  if (recorded.schedule?.key === key) return undefined;
  const from = Math.max(now, recorded.lastRun?.time ?? 0, recorded.claim?.time ?? 0);
  const events = overtaken(seen, schedule, 'its schedule has changed since');
  return record(
    { ...recorded, schedule: { key, from } },
    because('Waiting', 'its schedule has been read'),
    ...events,
  );
}

/** Times of the schedule that it had which are due and have not been given out: the host was down, or busy. */
function overtaken({ recorded, now, bot }: SeenPresent, schedule: Schedule, why: string): StepEvent[] {
  const kept = recorded.schedule;
  if (kept === undefined) return [];
  const before = kept.key === schedule.key ? schedule : scheduleBefore(recorded, bot, kept);
  if (before === undefined) return [];
  const { times, earlier } = dueTimes(before, kept.from, now, MOST);
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [skipped(why, earlier ? kept.from + 1 : first, last)];
}

function scheduleBefore(
  { good }: Recorded,
  bot: string,
  kept: NonNullable<Recorded['schedule']>,
): Schedule | undefined {
  if (good?.spec.schedule === undefined) return undefined;
  const parsed = parseSchedule({ ...good.spec.schedule, bot }, kept.from);
  return typeof parsed === 'string' || parsed.key !== kept.key ? undefined : parsed;
}

function skipped(why: string, from: number, to: number): StepEvent {
  return { type: 'skipped', message: `not run, because ${why}: ${span(from, to)}`, facts: { from, to } };
}
