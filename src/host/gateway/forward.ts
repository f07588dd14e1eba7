import type { IncomingMessage } from 'node:http';
import { hopByHop } from '../../base/hopByHop.ts';
import type { Head } from './send.ts';

/** What of the client's headers the bot's server has a use for. No token of ours is among them. */
const FORWARDED = ['accept', 'content-type', 'last-event-id'] as const;

export function isStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream\b/.test(headers['content-type'] ?? '');
}

export function forwardedHeaders(
  { headers }: IncomingMessage,
  more: readonly string[] = [],
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of [...FORWARDED, ...more]) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}

/** The head of a bot's answer as it is sent on. */
export function headOf(
  { statusCode = 502, headers }: IncomingMessage,
  more: Readonly<Record<string, string>>,
): Head {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (!hopByHop.has(name) && typeof value === 'string') kept[name] = value;
  return { status: statusCode, headers: { ...kept, ...more } };
}
