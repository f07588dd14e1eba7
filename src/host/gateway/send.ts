import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { QueryError } from '../../bot/answers/queryError.ts';
import { respond } from '../../bot/answers/respond.ts';
import type { Held } from './unsent.ts';

export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Sending {
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** A client that takes less than a piece for as long is cut. Milliseconds. */
const STALLED_MS = 60_000;
const SMALL_BYTES = 16 * 1024;
const PIECE_BYTES = 64 * 1024;

/** An answer that is all here. Throws `QueryError` 499 for a client that has gone, or was cut. */
export async function sendBody(sending: Sending, head: Head, body: Buffer, held: Held): Promise<void> {
  // In one write with its head, and no client is too slow for it.
  if (body.length < SMALL_BYTES) return respond(sending.response, head.status, body, head.headers);
  held.sending(() => sending.response.destroy());
  const headers = { ...head.headers, 'content-length': String(body.length) };
  await send(sending, { ...head, headers }, piecesOf(body));
}

/** An answer as it comes: only its length has no limit. */
export async function sendStream(sending: Sending, head: Head, pieces: AsyncIterable<Buffer>): Promise<void> {
  await send(sending, head, pieces, true);
}

async function send(
  sending: Sending,
  { status, headers }: Head,
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  atOnce = false,
): Promise<void> {
  const { response } = sending;
  response.writeHead(status, headers);
  if (atOnce) response.flushHeaders();
  for await (const piece of pieces) if (!response.write(piece)) await taken(sending, 'drain');
  response.end();
  if (!response.writableFinished) await taken(sending, 'finish');
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

async function taken({ response, clock, signal }: Sending, event: 'drain' | 'finish'): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const isTaken = once(response, event, { signal: either }).then(() => true);
  const isLate = clock.sleep(STALLED_MS, either).then(() => false);
  try {
    if (await Promise.race([isTaken, isLate])) return;
    response.destroy();
    throw new QueryError(499, 'abandoned', 'the client reads nothing');
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
  }
}
