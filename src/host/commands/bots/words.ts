import type { BotView } from '../../api/hostApi.ts';
import type { HostEvent } from '../../journal/event.ts';

/** `5s`, `3m`, `2h`, `4d`: since a time in milliseconds. */
export function ago(since: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

/** Why the bot is where it is: what is wrong first. */
export function whyOf({ conditions }: BotView): string {
  const degraded = conditions.find(({ type }) => type === 'Degraded');
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [degraded?.message, ready?.message].filter((text) => text !== undefined).join('; ');
}

/** `2026-06-01T09:00:00.000Z momentum ended: …` */
export function eventLine({ at, bot, type, message }: HostEvent): string {
  return `${new Date(at).toISOString()} ${bot ?? '-'} ${type}: ${message}\n`;
}
