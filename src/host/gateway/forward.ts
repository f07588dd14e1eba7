import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_ANSWER_BYTES } from '../../bot/answers/answer.ts';
import { QueryError, type QueryOutcome } from '../../bot/answers/queryError.ts';
import { tooLarge } from './exchange.ts';

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

/** A client that reads nothing for as long is cut: it holds a place. Streams have a line every 15 s. Milliseconds. */
const STALLED_MS = 60_000;

export function isStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream\b/.test(headers['content-type'] ?? '');
}

export function forwardedHeaders({ headers }: IncomingMessage): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}

/** Sends a bot's answer on as it comes, streams included: only their length has no limit. */
export async function sendOn(
  answer: IncomingMessage,
  response: ServerResponse,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<QueryOutcome> {
  const { statusCode = 502, headers } = answer;
  if (Number(headers['content-length'] ?? 0) > MAX_ANSWER_BYTES) {
    answer.destroy();
    throw new QueryError(502, 'error', tooLarge);
  }
  const streams = isStream(answer);
  response.setTimeout(STALLED_MS, () => response.destroy());
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name));
  response.writeHead(statusCode, { ...Object.fromEntries(kept), ...more });
  if (streams) response.flushHeaders();
  await pipeline(answer, ...(streams ? [] : [limit()]), response, { signal });
  return statusCode < 400 ? 'ok' : 'error';
}

/** Ends an answer that grows beyond what is allowed: the client sees it cut, never a shorter one that looks whole. */
function limit(): Transform {
  let size = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done: TransformCallback) {
      size += piece.length;
      if (size > MAX_ANSWER_BYTES) done(new Error(tooLarge));
      else done(null, piece);
    },
  });
}
