import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { StreamName } from '../../../bot/logs/frame.ts';
import { openJournal } from './journalWriter.ts';
import { createLineFramer } from './lineFramer.ts';
import { createOutput, type Output } from './output.ts';
import { openSource, type Source } from './source.ts';

/**
 * The room of the bot's output: through to the container's own, byte for byte, and line by line into the journal below `LOGS_PATH`,
 * from where the daemon ships it. Two readers who may both be slow, so there are two limits: the container's output holds the bot back
 * for ten seconds (`output`), the journal for as long until its oldest unshipped segment goes (`journalWriter`).
 *
 *   outputPipes   real pipes, which a bot can open by name
 *   source        reads one of them, into memory that is used again and again
 *   output        passes bytes on, and drops those that no reader takes
 *   lineFramer    finds the lines, and cuts those that are too long
 *   journalWriter keeps the frames in segments that the reader can follow
 */

export interface CaptureOptions {
  /** LOGS_PATH; made when it is missing. */
  readonly dir: string;
  /** The container's own: `process.stdout` and `process.stderr`. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a bot that outruns shipping is held back, milliseconds. 0 where nothing ships. */
  readonly holdMs?: number;
  /** How long the bot is held back where no process reads the container's output, milliseconds. */
  readonly patienceMs?: number;
  readonly onCaptured?: (bytes: number) => void;
  /** Smaller in tests. */
  readonly segmentBytes?: number;
}

/** The bot's output on its way: through to the container's, and line by line into the journal. */
export interface Capture {
  /**
   * `from`: the reading end of a pipe as a descriptor, which costs least, or any stream of bytes. It is ours from now on. `onEnd` is
   * called in the turn of the event loop in which it is seen to have ended.
   */
  attach(name: StreamName, from: Readable | number, onEnd?: () => void): void;
  /**
   * The bot has ended: takes what is still in the pipes, keeps unfinished lines, and closes everything. Somebody else who
   * holds a pipe open is waited for a second, a slow reader of the container's output as long as ever, both for
   * `limitMs` at most, and not once `hurried` is aborted.
   */
  close(limitMs?: number, hurried?: AbortSignal): Promise<CaptureStats>;
  readonly stats: CaptureStats;
}

export interface CaptureStats {
  /** Bytes captured. */
  readonly bytes: number;
  /** Bytes that were dropped from the container's output because no process read it. */
  readonly leftOut: number;
  /** How long the bot was held back for shipping, milliseconds. */
  readonly heldMs: number;
  /** What the bot printed last is not in the journal: its disk is full. */
  readonly endLost: boolean;
  /** Lines that the journal's disk has not taken, at any time. */
  readonly refused: number;
}

const HOLD_MS = 10_000;
const HOLD_STEP_MS = 50;
/** How long a pipe may stay open after the bot's end, milliseconds. */
const GRACE_MS = 1_000;
/** For taking what is in the pipes once the container's output is not waited for any more. */
const LAST_READ_MS = 100;
const NEVER = new AbortController().signal;

/** Throws `config` when `dir` cannot be written. */
export function createCapture(options: CaptureOptions): Capture {
  const { clock, holdMs = HOLD_MS } = options;
  const journal = openJournal({ now: clock.now, ...options });
  /** The bot has ended; and: everything is closed. */
  const ending = new AbortController();
  const closed = new AbortController();
  const pause = (ms: number, { signal }: AbortController) => clock.sleep(ms, signal).catch(() => undefined);
  const channels: Channel[] = [];
  let bytes = 0;
  let heldMs = 0;
  /** Of `holdMs`; all of it again when shipping has caught up. */
  let spentMs = 0;
  let holding = false;

  /** Waits for the shipper to make room; the oldest lines go when that takes too long. */
  const hold = async () => {
    holding = true;
    for (const { source } of channels) source.pause();
    let left = journal.makeRoom(spentMs >= holdMs);
    while (left === undefined && !ending.signal.aborted) {
      const since = clock.elapsed();
      await pause(HOLD_STEP_MS, ending);
      spentMs += clock.elapsed() - since;
      heldMs += clock.elapsed() - since;
      left = journal.makeRoom(spentMs >= holdMs);
    }
    if (left !== undefined && left <= 1) spentMs = 0;
    holding = false;
    for (const channel of channels) channel.resume();
  };

  const keepRoom = () => {
    if (!journal.full || holding) return;
    // What the pipes still hold when the bot has ended is little.
    if (ending.signal.aborted) journal.makeRoom(journal.overfull);
    else void hold();
  };

  const attach = (name: StreamName, from: Readable | number, onEnd?: () => void) => {
    const framer = createLineFramer(name, journal.append);
    let blocked = false;
    const output = createOutput({
      name,
      to: options[name],
      patienceMs: options.patienceMs ?? HOLD_MS,
      clock,
      signal: closed.signal,
      log: options.log,
      onFree: () => {
        blocked = false;
        resume();
      },
    });
    const source = openSource(from, {
      inUse: output.holds,
      onChunk: (chunk) => {
        bytes += chunk.length;
        options.onCaptured?.(chunk.length);
        blocked = !output.write(chunk);
        if (blocked) source.pause();
        framer.push(chunk, clock.now());
        keepRoom();
      },
    });
    if (onEnd) void source.ended.then(onEnd);
    const resume = () => {
      if (!blocked && !holding) source.resume();
    };
    const flushed = async () => {
      const grace = async () => {
        do await pause(GRACE_MS, closed);
        while (blocked && !closed.signal.aborted);
      };
      await Promise.race([source.ended, grace()]);
      await output.drained();
    };
    channels.push({ source, output, resume, flushed, end: () => framer.end(clock.now()) });
  };

  const finish = async (limitMs: number, hurried: AbortSignal) => {
    ending.abort();
    const limit = clock.sleep(limitMs, AbortSignal.any([closed.signal, hurried])).catch(() => undefined);
    await Promise.race([Promise.all(channels.map((channel) => channel.flushed())), limit]);
    for (const { output } of channels) output.giveUp();
    const ends = Promise.all(channels.map(({ source }) => source.ended));
    await Promise.race([ends, pause(LAST_READ_MS, closed)]);
    closed.abort();
    for (const channel of channels) {
      channel.source.destroy();
      channel.end();
    }
    journal.close();
    return stats();
  };

  const stats = () => ({
    bytes,
    heldMs,
    endLost: journal.broken,
    refused: journal.refused,
    leftOut: channels.reduce((sum, { output }) => sum + output.leftOut, 0),
  });

  let finished: Promise<CaptureStats> | undefined;
  return {
    attach,
    close: (limitMs = HOLD_MS, hurried = NEVER) => {
      finished ??= finish(limitMs, hurried);
      return finished;
    },
    get stats() {
      return stats();
    },
  };
}

interface Channel {
  readonly source: Source;
  readonly output: Output;
  /** Reads on, unless something else holds it. */
  readonly resume: () => void;
  readonly flushed: () => Promise<void>;
  readonly end: () => void;
}
