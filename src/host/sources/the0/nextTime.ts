import { parseSchedule } from '../../schedule/parseSchedule.ts';

/** The next time of a cron expression, Unix seconds; undefined where there is none. */
export function nextTime(cron: string, now: number): number | undefined {
  const schedule = parseSchedule({ cron, timeZone: 'UTC', spreadMs: 0, bot: '' }, now);
  const next = typeof schedule === 'string' ? undefined : schedule.next(now);
  return next === undefined ? undefined : Math.floor(next / 1000);
}
