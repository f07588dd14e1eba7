import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import type { EventLog } from './eventLog.ts';
import { type LogReader, readLog } from './readLog.ts';
import { encodeFrame, type Frame } from './storedEvent.ts';

/** Clients give up after 300 s of silence, and proxies sooner. */
const COMMENT_MS = 15_000;
/** A reader that takes nothing for as long is cut; it goes on with its cursor. */
const STALLED_MS = 30_000;

export interface Streaming {
  readonly log: EventLog;
  /** The last event that it has seen. */
  readonly cursor: number;
  /** Told first, without a number. */
  readonly init: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Aborted when the client has gone or the server ends. */
  readonly signal: AbortSignal;
  /** Which events it is told of; undefined: all. */
  readonly filter?: (frame: Frame) => boolean;
  /** After such an event the stream ends; undefined: it never does. */
  readonly isLast?: (frame: Frame) => boolean;
  /** Where the reader is, for whoever watches; what it gives is called at the end. */
  readonly onReader?: (reader: LogReader) => () => void;
}

/** Events as they come, to one client, which takes them at its own pace: it slows nobody, and nothing is queued for it. */
export async function streamEvents(response: ServerResponse, options: Streaming): Promise<void> {
  const { log, cursor, init, headers = {}, clock, signal, filter = () => true, isLast } = options;
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.setTimeout(0);
  const reader = readLog(log, cursor);
  const end = options.onReader?.(reader);
  try {
    response.write(encodeFrame({ type: 'connection.init', data: { ...init, initialSeq: cursor } }));
    while (!signal.aborted) {
      const changed = new AbortController();
      const either = AbortSignal.any([signal, changed.signal]);
      // Before it reads: what comes meanwhile is not slept through.
      const change = log.changed(either);
      const batch = await reader.next();
      const frames = batch.filter(filter);
      const last = isLast === undefined ? -1 : frames.findIndex(isLast);
      const text = frames
        .slice(0, last === -1 ? undefined : last + 1)
        .map((frame) => frame.text)
        .join('');
      if (text !== '' && !response.write(text)) await drained(response, clock, signal);
      if (batch.length === 0) {
        const beat = clock.sleep(COMMENT_MS, either).then(
          () => ': alive\n\n',
          () => '',
        );
        const comment = await Promise.race([beat, change.then(() => '')]);
        if (comment !== '' && !response.write(comment)) await drained(response, clock, signal);
      }
      changed.abort();
      if (last !== -1) break;
    }
  } finally {
    end?.();
    response.end();
  }
}

async function drained(response: ServerResponse, clock: Clock, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const isTaken = once(response, 'drain', { signal: either }).then(
    () => true,
    () => true,
  );
  const isLate = clock.sleep(STALLED_MS, either).then(
    () => false,
    () => true,
  );
  if (!(await Promise.race([isTaken, isLate]))) response.destroy();
  over.abort();
}
