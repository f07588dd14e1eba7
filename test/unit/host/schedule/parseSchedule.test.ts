import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../../../src/host/schedule/parseSchedule.ts';
import type { Schedule } from '../../../../src/host/schedule/schedule.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

function parse(cron: string, timeZone = 'UTC', spreadMs = 0, bot = 'b'): Schedule | string {
  return parseSchedule({ cron, timeZone, spreadMs, bot }, now);
}

function next(cron: string, after = now, ...rest: [string?, number?, string?]): string {
  const schedule = parse(cron, ...rest);
  return typeof schedule === 'string' ? schedule : new Date(schedule.next(after)!).toISOString();
}

describe('what a schedule may be', () => {
  it.each([
    ['30 9 * * 1-5', '2026-03-02T09:30:00.000Z'],
    ['15 30 9 * * MON-FRI', '2026-03-02T09:30:15.000Z'],
    ['0 0 ? * SUN', '2026-03-08T00:00:00.000Z'],
    ['@hourly', '2026-03-01T01:00:00.000Z'],
    ['@daily', '2026-03-02T00:00:00.000Z'],
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['@every 90s', '2026-03-01T00:01:30.000Z'],
    ['@every 1h30m', '2026-03-01T01:30:00.000Z'],
    ['CRON_TZ=Europe/Berlin 0 9 * * *', '2026-03-01T08:00:00.000Z'],
    ['TZ=Asia/Tokyo 0 9 * * *', '2026-03-02T00:00:00.000Z'],
    ['5/10 * * * *', '2026-03-01T00:05:00.000Z'],
  ])('%s', (cron, expected) => expect(next(cron)).toBe(expected));

  it.each([
    ['0 0 30 2 *', /never comes/],
    ['TZ=UTC', /is not a schedule/],
    ['61 * * * *', /is not a schedule/],
    ['* * * *', /is not a schedule/],
    ['@every 10ms', /at least 1s/],
    ['@every soon', /at least 1s/],
    ['CRON_TZ=Mars/Base 0 9 * * *', /is not a time zone/],
    ['', /is not a schedule/],
  ])('refuses %s', (cron, why) => expect(parse(cron)).toMatch(why));

  it('lets a zone in the expression win over the field', () => {
    expect(next('CRON_TZ=Asia/Tokyo 0 9 * * *', now, 'Europe/Berlin')).toBe('2026-03-02T00:00:00.000Z');
  });
});

describe('the hours that there are not, and those that there are twice', () => {
  const newYork = (cron: string, after: string) => next(cron, Date.parse(after), 'America/New_York');

  it('runs at the first instant after a gap', () => {
    expect(newYork('30 2 * * *', '2026-03-08T05:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
    expect(newYork('30 2,14 * * *', '2026-03-08T05:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
    expect(newYork('*/15 2 * * *', '2026-03-08T05:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
  });

  it('runs a fixed time once in the hour that comes twice', () => {
    expect(newYork('30 1 * * *', '2026-11-01T05:00:00Z')).toBe('2026-11-01T05:30:00.000Z');
    expect(newYork('30 1 * * *', '2026-11-01T05:30:00Z')).toBe('2026-11-02T06:30:00.000Z');
  });

  it('runs a step at each real instant', () => {
    expect(newYork('*/30 1 * * *', '2026-11-01T05:30:00Z')).toBe('2026-11-01T06:00:00.000Z');
    expect(newYork('0 * * * *', '2026-11-01T05:00:00Z')).toBe('2026-11-01T06:00:00.000Z');
  });
});

describe('the spread', () => {
  it('is the same for a bot each time, and another for another', () => {
    const first = next('0 * * * *', now, 'UTC', 600_000, 'a');
    expect(next('0 * * * *', now, 'UTC', 600_000, 'a')).toBe(first);
    expect(next('0 * * * *', now, 'UTC', 600_000, 'b')).not.toBe(first);
    expect(Date.parse(first) - now).toBeLessThan(3_600_000 + 600_000);
  });

  it('loses no time', () => {
    const schedule = parse('0 * * * *', 'UTC', 600_000, 'a') as Schedule;
    const once = schedule.next(now)!;
    expect(schedule.next(once)! - once).toBe(3_600_000);
  });
});
