import { expect, test } from 'vitest';
import { dueTimes } from '../../../../src/host/schedule/due.ts';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import type { Schedule } from '../../../../src/host/schedule/schedule.ts';

const FROM = Date.parse('2026-01-01T00:00:00Z');

function asked(cron: string): { schedule: Schedule; count: () => number } {
  const schedule = parseSchedule({ cron, timeZone: 'UTC', spreadMs: 0, bot: 'a' }, FROM);
  if (typeof schedule === 'string') throw new Error(schedule);
  let count = 0;
  const next = (after: number) => {
    count += 1;
    return schedule.next(after);
  };
  return { schedule: { ...schedule, next }, count: () => count };
}

test.each([
  ['a day', '* * * * * *', '2026-01-02T00:00:00Z', 1_000],
  ['a year', '* * * * * *', '2027-01-01T00:00:00Z', 1_000],
  ['two centuries, as a clock that was never set says', '* * * * * *', '2226-01-01T00:00:00Z', 1_000],
  ['ten years of minutes', '* * * * *', '2036-01-01T00:00:00Z', 60_000],
])('who was away for %s is told the latest times after a few questions', (_, cron, until, every) => {
  const { schedule, count } = asked(cron);
  const now = Date.parse(until);
  const { times, earlier, next } = dueTimes(schedule, FROM, now, 10);
  expect(times).toEqual(Array.from({ length: 10 }, (__, i) => now - (9 - i) * every));
  expect({ earlier, next }).toEqual({ earlier: true, next: now + every });
  expect(count()).toBeLessThan(200);
});

test('times that lie far apart are all found', () => {
  const { schedule } = asked('0 0 29 2 *');
  const { times, earlier } = dueTimes(schedule, FROM, Date.parse('2041-01-01T00:00:00Z'), 10);
  const days = ['2028-02-29', '2032-02-29', '2036-02-29', '2040-02-29'];
  expect(times.map((time) => new Date(time).toISOString().slice(0, 10))).toEqual(days);
  expect(earlier).toBe(false);
});
