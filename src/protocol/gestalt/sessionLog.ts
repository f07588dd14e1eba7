import type { Clock } from '../../base/clock.ts';
import { type LogHost, LogHostError, timestamp } from './logHost.ts';
import type { LogEntry } from './messages.ts';

/** A session's log: numbered, kept until the log host takes it, in order, each entry sent once. */
export interface SessionLog {
  write(stream: 'stdout' | 'stderr' | 'runtime', message: string): void;
  /** The last lines, for an error that people read. */
  tail(): string;
  /** Resolves when everything so far has been taken, or after `ms`. */
  flush(ms: number): Promise<void>;
  /**
   * Resolves while there is room for more: once, when the log host takes nothing, after a while, and then at once until it
   * takes something again. Aborted early by `signal`, without an error.
   */
  room(signal: AbortSignal): Promise<void>;
  /** The session has ended: what is there is sent, for a while, and nothing more. */
  finish(): void;
}

/** Bytes of messages in one call; gRPC's own limit is 4 MiB. */
const BATCH_BYTES = 1024 * 1024;
/** What is kept for a log host that does not answer; then the oldest go, and a line says how many. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** From here on the writer is asked to wait. */
const ROOM_BYTES = KEPT_BYTES / 2;
const ROOM_MS = 20_000;
/** For what an ended session has left. gestaltd may have let go of it, and would refuse it for ever. */
const FINISH_MS = 30_000;
const MAX_MESSAGE = 256 * 1024;
/** Of an entry beside its message: the rest of its fields, and their headers. */
const ENTRY_BYTES = 64;
const TAIL_LINES = 20;
const RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

const streams = {
  stdout: 'PLUGIN_RUNTIME_LOG_STREAM_STDOUT',
  stderr: 'PLUGIN_RUNTIME_LOG_STREAM_STDERR',
  runtime: 'PLUGIN_RUNTIME_LOG_STREAM_RUNTIME',
} as const;

export function openSessionLog(session: string, host: LogHost | undefined, clock: Clock): SessionLog {
  const waiting: LogEntry[] = [];
  const last: string[] = [];
  const closed = new AbortController();
  let bytes = 0;
  let seq = 0;
  let dropped = 0;
  let sending: Promise<void> | undefined;
  let isHostAway = false;
  let taken = Promise.withResolvers<void>();

  function write(stream: keyof typeof streams, text: string): void {
    // Half a character is not UTF-8: gestaltd would refuse the whole batch.
    const message = text.slice(0, MAX_MESSAGE).toWellFormed();
    if (message.trim() === '' || closed.signal.aborted) return;
    last.push(`[${stream}] ${message}`);
    if (last.length > TAIL_LINES) last.shift();
    if (host === undefined) return;
    waiting.push({ stream: streams[stream], message, observedAt: timestamp(clock.now()), sourceSeq: ++seq });
    bytes += sizeOf(message);
    while (bytes > KEPT_BYTES && waiting.length > 1) {
      bytes -= sizeOf(waiting.shift()!.message);
      dropped += 1;
    }
    sending ??= send(host).finally(() => {
      sending = undefined;
    });
  }

  async function send(to: LogHost): Promise<void> {
    // What is written in one turn of the loop goes in one call.
    await Promise.resolve();
    let pause = RETRY_MS;
    while (waiting.length > 0 && !closed.signal.aborted) {
      const batch = takeBatch();
      try {
        await to.append(session, batch);
        pause = RETRY_MS;
        isHostAway = false;
        taken.resolve();
        taken = Promise.withResolvers();
      } catch (error) {
        waiting.unshift(...batch);
        for (const { message } of batch) bytes += sizeOf(message);
        // Soon, where gestaltd has not yet read our answer to StartSession; ever more slowly where it is away.
        const soon = error instanceof LogHostError && error.isUnregistered;
        await clock
          .sleep(soon ? Math.min(pause, 10 * RETRY_MS) : pause, closed.signal)
          .catch(() => undefined);
        pause = Math.min(2 * pause, LONGEST_RETRY_MS);
      }
    }
  }

  function takeBatch(): LogEntry[] {
    const batch: LogEntry[] = [];
    if (dropped > 0) {
      const message = `${dropped} lines of this session's output were dropped: the log host took nothing`;
      batch.push({ stream: streams.runtime, message, observedAt: timestamp(clock.now()), sourceSeq: ++seq });
      dropped = 0;
    }
    for (
      let size = 0;
      waiting.length > 0 && (batch.length === 0 || size + sizeOf(waiting[0]!.message) <= BATCH_BYTES);
    ) {
      const entry = waiting.shift()!;
      size += sizeOf(entry.message);
      bytes -= sizeOf(entry.message);
      batch.push(entry);
    }
    return batch;
  }

  async function flush(ms: number): Promise<void> {
    const late = new AbortController();
    const over = clock.sleep(ms, AbortSignal.any([late.signal, closed.signal])).catch(() => undefined);
    await Promise.race([sending ?? Promise.resolve(), over]);
    late.abort();
  }

  async function room(signal: AbortSignal): Promise<void> {
    if (bytes <= ROOM_BYTES || isHostAway) return;
    const late = new AbortController();
    const over = clock
      .sleep(ROOM_MS, AbortSignal.any([late.signal, signal, closed.signal]))
      .then(() => true)
      .catch(() => true);
    let isOver = false;
    while (!isOver && bytes > ROOM_BYTES)
      isOver = await Promise.race([over, taken.promise.then(() => false)]);
    isHostAway = isOver;
    late.abort();
  }

  return {
    write,
    tail: () => last.join('\n'),
    flush,
    room,
    finish: () => void flush(FINISH_MS).then(() => closed.abort()),
  };
}

function sizeOf(message: string): number {
  return Buffer.byteLength(message) + ENTRY_BYTES;
}
