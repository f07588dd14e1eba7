import { createHash } from 'node:crypto';
import { Cron } from '../../base/parts/croner.ts';
import { parseDuration } from '../../bot/config/duration.ts';
import { type Fields, nextInstant } from './nextInstant.ts';
import type { Schedule } from './schedule.ts';
import { createZone, type Zone } from './zone.ts';

/** What a specification says of time. */
export interface ScheduleText {
  readonly cron: string;
  readonly timeZone: string;
  /** Milliseconds. */
  readonly spreadMs: number;
  /** Whose spread it is. */
  readonly bot: string;
}

const LEAST_EVERY_MS = 1_000;

/**
 * Five fields, or six with seconds first; names, `?`, `@hourly` … `@yearly`, `@every 90s`, `CRON_TZ=Zone ` or `TZ=Zone ` in
 * front. What is wrong is returned as a sentence, a schedule that never comes included. `now` in milliseconds.
 */
export function parseSchedule(text: ScheduleText, now: number): Schedule | string {
  const { zone: named, rest } = splitZone(text.cron);
  const everyMs = rest.startsWith('@every ') ? parseEvery(rest.slice(7).trim()) : undefined;
  if (typeof everyMs === 'string') return everyMs;
  const zoneName = named ?? text.timeZone;
  const zone = zoneNamed(zoneName);
  if (zone === undefined)
    return `${JSON.stringify(zoneName)} is not a time zone: expected a name such as Europe/Berlin`;
  const offset = spreadOf(text.bot, text.spreadMs);
  const key = everyMs === undefined ? `${rest}|${zone.name}|${offset}` : rest;
  if (everyMs !== undefined) return { key, everyMs, next: (after) => after + everyMs };
  const fields = parseFields(rest);
  if (typeof fields === 'string') return fields;
  const next = remembering((after) => {
    const instant = nextInstant(fields, zone, after - offset);
    return instant === undefined ? undefined : instant + offset;
  });
  if (next(now) === undefined) return `${JSON.stringify(text.cron)} never comes`;
  return { key, everyMs: undefined, next };
}

/** The same question is asked at each look at a bot, and costs a tenth of a millisecond: between two times the answer stays. */
function remembering(next: Schedule['next']): Schedule['next'] {
  let from = 0;
  let until: number | undefined;
  return (after) => {
    if (until === undefined || after < from || after >= until) {
      until = next(after);
      from = after;
    }
    return until;
  };
}

function splitZone(text: string): { zone: string | undefined; rest: string } {
  const [, zone, rest] = /^(?:CRON_)?TZ=(\S+)(?:\s+(.*))?$/s.exec(text.trim()) ?? [];
  return zone === undefined ? { zone, rest: text.trim() } : { zone, rest: rest?.trim() ?? '' };
}

/** Go's durations of several parts too: `1h30m`. */
function parseEvery(text: string): number | string {
  const parts = text.match(/\d+(ms|s|m|h)/g) ?? [];
  const total = parts.reduce((sum, part) => sum + (parseDuration(part) ?? Number.NaN), 0);
  if (parts.join('') !== text || !(total >= LEAST_EVERY_MS))
    return `@every ${text}: expected a duration of at least 1s, such as 90s or 1h30m`;
  return total;
}

function zoneNamed(name: string): Zone | undefined {
  try {
    // An offset such as +01:00 is accepted by the system, and is not what anybody means by a zone.
    return /^[A-Za-z]/.test(name) ? createZone(name) : undefined;
  } catch {
    return undefined;
  }
}

function parseFields(text: string): Fields | string {
  try {
    const cron = new Cron(text.replaceAll('?', '*'), {
      timezone: 'UTC',
      mode: '5-or-6-parts',
      sloppyRanges: true,
    });
    const times = text.startsWith('@') ? nicknameTimes(text) : text.split(/\s+/).slice(0, -3);
    return {
      next: (after) => cron.nextRun(new Date(after))?.getTime(),
      fixed: !times.some((field) => /[*?/]/.test(field)),
      namesHours: !/^[*?]$/.test(times.at(-1) ?? '*'),
    };
  } catch (error) {
    return `${JSON.stringify(text)} is not a schedule: ${(error as Error).message}`;
  }
}

/** Minutes and hours of `@daily` and its like: midnight, but for `@hourly`. */
function nicknameTimes(text: string): string[] {
  return text.toLowerCase() === '@hourly' ? ['0', '*'] : ['0', '0'];
}

/** The same for a bot for ever, and spread evenly over bots. Whole milliseconds. */
function spreadOf(bot: string, spreadMs: number): number {
  if (spreadMs <= 0) return 0;
  return createHash('sha256').update(bot).digest().readUInt32BE(0) % spreadMs;
}
