import type { IncomingMessage } from 'node:http';
import type { Head } from './send.ts';

/** Of one connection only (RFC 9110, 7.6.1): they mean nothing on the next one. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

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
    if (!HOP_BY_HOP.has(name) && typeof value === 'string') kept[name] = value;
  return { status: statusCode, headers: { ...kept, ...more } };
}
