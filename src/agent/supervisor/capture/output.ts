import type { Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { systemCode } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { StreamName } from '../../../bot/logs/frame.ts';

/** The container's stdout or stderr. */
export interface Output {
  /** False: the bytes are on their way and must stay as they are; `onFree` is called when they are gone. */
  write(chunk: Buffer): boolean;
  /** Whether bytes in this memory are still on their way. */
  holds(memory: ArrayBufferLike): boolean;
  /** Resolves when everything written is gone, or is not waited for any more. */
  drained(): Promise<void>;
  /** Waits no more for whoever reads it. */
  giveUp(): void;
  /** Bytes that were dropped because no reader took them. */
  readonly leftOut: number;
}

export interface OutputOptions {
  readonly name: StreamName;
  readonly to: Writable;
  readonly onFree: () => void;
  /** A reader that takes nothing for this long is not waited for any more, milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const NEWLINE = 10;

/**
 * Passes bytes through and honours back-pressure, within limits: where nobody reads the container's output, what comes
 * is left out there after a while, up to the end of a line, and goes on when somebody reads again. The kept logs have it all.
 */
export function createOutput(options: OutputOptions): Output {
  const { name, to, clock, log } = options;
  let pending: Buffer | undefined;
  let pendingSince = 0;
  let watching = false;
  let leavingOut = false;
  let gone = false;
  let told = false;
  let leftOut = 0;
  let midLine = false;
  let waiting: (() => void)[] = [];

  const free = () => {
    options.onFree();
    for (const done of waiting) done();
    waiting = [];
  };

  const taken = () => {
    pending = undefined;
    free();
  };

  const giveUp = () => {
    if (!pending || leavingOut) return;
    leavingOut = true;
    log.warn(`nobody reads the container's ${name}: output is dropped there, and kept in the logs`);
    free();
  };

  // A reader that goes away, a disk that is full: the bot lives on, and its logs are kept. A disk may have room again.
  to.on('error', (error) => {
    const code = systemCode(error);
    gone = code !== 'ENOSPC' && code !== 'EDQUOT';
    if (code !== 'EPIPE' && !told) {
      told = true;
      log.warn(`the container's ${name} cannot be written (${code}): it is kept in the logs`);
    }
    if (pending) taken();
  });

  /** One timer for any number of short stalls. */
  const watch = async () => {
    watching = true;
    while (pending && !leavingOut) {
      const left = pendingSince + options.patienceMs - clock.elapsed();
      if (left > 0) {
        await clock.sleep(left, options.signal).catch(() => undefined);
        if (options.signal.aborted) break;
      } else {
        giveUp();
      }
    }
    watching = false;
  };

  const send = (chunk: Buffer): boolean => {
    midLine = chunk[chunk.length - 1] !== NEWLINE;
    pending = chunk;
    to.write(chunk, () => {
      if (pending === chunk) taken();
    });
    if (to.writableLength === 0) {
      pending = undefined;
      return true;
    }
    pendingSince = clock.elapsed();
    if (!watching) void watch();
    return false;
  };

  /** The first whole line after what was left out, or nothing. */
  const rejoin = (chunk: Buffer): Buffer => {
    const start = pending ? 0 : chunk.indexOf(NEWLINE) + 1;
    leftOut += start === 0 ? chunk.length : start;
    if (start === 0) return chunk.subarray(0, 0);
    leavingOut = false;
    log.warn(`the container's ${name} is read again`, { leftOut });
    if (midLine) to.write('\n');
    return chunk.subarray(start);
  };

  return {
    write: (chunk) => {
      if (gone) return true;
      const bytes = leavingOut ? rejoin(chunk) : chunk;
      return bytes.length === 0 || send(bytes);
    },
    holds: (memory) => pending?.buffer === memory,
    drained: () =>
      pending && !leavingOut ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(),
    giveUp,
    get leftOut() {
      return leftOut;
    },
  };
}
