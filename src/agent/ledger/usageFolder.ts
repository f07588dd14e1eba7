import { dirname, join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';

/** Where an agent's usage is kept: beside its logs, where the bot cannot write. */
export function usageFolder(logs: string): string {
  return join(dirname(logs), 'usage');
}

/** Throws the system's error. */
export function makeUsageFolder(dir: string): void {
  makeFolders(dir, 0o750);
}

/** The UTC day of a line: `20261127` of `2026-11-27T…`. */
export function dayOf(at: string): string {
  return at.slice(0, 10).replaceAll('-', '');
}

/** Whether the text is a day, and not a path that somebody has made of it. */
export function isDay(text: string): boolean {
  return /^\d{8}$/.test(text);
}

/** Where a day's usage is in the logs bucket. */
export function usageKey(bot: string, day: string): string {
  return `usage/${bot}/${day}.ndjson`;
}
