import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import type { Readers } from '../readers.ts';
import { hasEnded, showTurn, type TurnRecord } from '../turn.ts';

const COMMENT_MS = 15_000;
/** A reader that takes nothing for so long is cut; it can go on where it was. */
const STALLED_MS = 30_000;
/** The id of `end` where an earlier process has told events that are lost: above all of theirs. */
const LOST_END = 2 ** 30;
const PIECE_BYTES = 32 * 1024;

export interface StreamOptions {
  readonly readers: Readers;
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
  readonly lastId: number;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

/**
 * A turn as server-sent events, from what follows `lastId` to its end. The reader pulls: what it has not taken is not copied for
 * it, so a slow one costs its socket's buffer and makes nobody wait.
 */
export async function streamTurn(
  response: ServerResponse,
  record: TurnRecord,
  { readers, clock, headers, lastId, closing }: StreamOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const over = AbortSignal.any([closing, gone.signal]);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies in between would hold events back.
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  // Our own limits hold: a turn may say nothing for minutes.
  response.setTimeout(0);
  let next = lastId + 1;
  let isToldEnd = false;
  while (!over.aborted && !isToldEnd) {
    const changed = new AbortController();
    const wake = readers.whenChanged(record.id, AbortSignal.any([over, changed.signal]));
    const ended = hasEnded(record);
    while (!over.aborted) {
      const event = eventAt(record, next, ended, lastId);
      if (event === undefined) break;
      next = event.id + 1;
      isToldEnd = event.type === 'end';
      if (isToldEnd) await writeSlowly(response, encodedEnd(readers.ends, record, event), over);
      else if (!response.write(encode(event))) await drained(response, over);
    }
    if (ended) break;
    const comment = new AbortController();
    const beat = clock.sleep(COMMENT_MS, AbortSignal.any([over, comment.signal])).then(
      () => true,
      () => false,
    );
    const isBeat = await Promise.race([wake.then(() => false), beat]);
    comment.abort();
    changed.abort();
    if (isBeat && !response.write(': alive\n\n')) await drained(response, over);
  }
  response.end();
}

interface Shown {
  readonly id: number;
  readonly type: string;
  readonly data: unknown;
}

/** The event with this id, or undefined: there is none yet, or none any more. */
function eventAt(record: TurnRecord, id: number, ended: boolean, lastId: number): Shown | undefined {
  const { log } = record;
  if (id === 1) return { id, type: 'start', data: { id: record.id, conversation: record.conversation } };
  if (id - 2 < log.shownItems(ended)) return log.event(id - 2);
  if (!ended) return undefined;
  const isLost = record.error?.code === 'interrupted' && log.items.length === 0;
  const endId = isLost ? LOST_END : log.items.length + 2;
  if (lastId >= endId) return undefined;
  return id <= endId ? { id: endId, type: 'end', data: showTurn(record) } : undefined;
}

function encode({ id, type, data }: Shown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** It holds the whole reply: encoded once for all of a turn's readers. */
function encodedEnd(ends: Readers['ends'], record: TurnRecord, event: Shown): Buffer {
  const known = ends.get(record) ?? Buffer.from(encode(event));
  ends.set(record, known);
  return known;
}

/** Never more of it than a socket's buffer is copied for a reader that stands still. */
async function writeSlowly(response: ServerResponse, bytes: Buffer, over: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length && !over.aborted; at += PIECE_BYTES) {
    if (!response.write(bytes.subarray(at, at + PIECE_BYTES))) await drained(response, over);
  }
}

async function drained(response: ServerResponse, over: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stalled = setTimeout(() => {
    response.destroy();
    resolve();
  }, STALLED_MS);
  response.once('drain', resolve);
  const end = () => resolve();
  over.addEventListener('abort', end, { once: true });
  await promise;
  clearTimeout(stalled);
  over.removeEventListener('abort', end);
  response.off('drain', resolve);
}
