import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const times = [
  [0, 0],
  [0, 30],
  [1, 30],
  [2, 0],
  [2, 15],
  [3, 0],
  [23, 45],
] as const;

/** The wall clock by the formatter of dates, which the schedule does not use. */
function wallClock(zone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (instant: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!);
  };
}

/** Every change of a zone's offset from 2024 to 2030, to the minute, by looking at each day and then closer. */
function changes(zone: string): number[] {
  const local = wallClock(zone);
  const offset = (instant: number) => local(instant) - instant;
  const found: number[] = [];
  for (let day = Date.UTC(2024, 0, 1); day < Date.UTC(2031, 0, 1); day += 24 * HOUR) {
    let [low, high] = [day, day + 24 * HOUR];
    if (offset(low) === offset(high)) continue;
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offset(middle) === offset(low)) low = middle;
      else high = middle;
    }
    found.push(high);
  }
  return found;
}

/** Each minute between, and what the clock shows then. */
function everyMinute(zone: string, from: number, to: number): (readonly [instant: number, shown: number])[] {
  const local = wallClock(zone);
  const minutes = Array.from({ length: (to - from) / MINUTE }, (_, index) => from + index * MINUTE);
  return minutes.map((instant) => [instant, local(instant)] as const);
}

/** Each day, the first minute that shows this time, or else a later one. Not the first day's: it may have been before. */
function daily(minutes: ReturnType<typeof everyMinute>, hour: number, minute: number): number[] {
  const found = new Map<number, number>();
  for (const [instant, shown] of minutes) {
    const day = Math.floor(shown / (24 * HOUR));
    if (!found.has(day) && shown - day * 24 * HOUR >= hour * HOUR + minute * MINUTE) found.set(day, instant);
  }
  return [...found.values()].slice(1);
}

function scheduled(cron: string, timeZone: string, from: number, to: number): number[] {
  const schedule = parseSchedule({ cron, timeZone, spreadMs: 0, bot: 'b' }, from);
  if (typeof schedule === 'string') throw new Error(schedule);
  const times: number[] = [];
  for (let next = schedule.next(from); next !== undefined && next < to; next = schedule.next(next))
    times.push(next);
  return times;
}

describe('around each change of the clocks, 2024 to 2030', () => {
  // Zones that change alike are asked once.
  const groups = new Map<string, string>();
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const key = changes(zone).join();
    if (key !== '' && !groups.has(key)) groups.set(key, zone);
  }

  it('knows the zones that change', () => expect(groups.size).toBeGreaterThan(20));

  it.each([...groups.values()])('%s', (zone) => {
    for (const change of changes(zone)) {
      const [from, to] = [change - 30 * HOUR, change + 30 * HOUR];
      const minutes = everyMinute(zone, from, to);
      for (const [hour, minute] of times) {
        const expected = daily(minutes, hour, minute);
        const actual = scheduled(`${minute} ${hour} * * *`, zone, from, to).filter(
          (time) => time >= expected[0]!,
        );
        expect([zone, hour, minute, actual.map(iso)]).toEqual([zone, hour, minute, expected.map(iso)]);
      }
      const tens = minutes
        .filter(([, shown]) => (shown / MINUTE) % 10 === 0)
        .map(([instant]) => instant)
        .slice(1);
      const actual = scheduled('*/10 * * * *', zone, from, to).filter((time) => time >= tens[0]!);
      expect([zone, actual.map(iso)]).toEqual([zone, tens.map(iso)]);
    }
  });
});

const iso = (time: number) => new Date(time).toISOString();
