import type { Output } from './command.ts';
import { progressLine, size } from './output.ts';

export interface Transferred {
  readonly bytes: number;
  readonly totalBytes: number;
}

/** How often the line changes, milliseconds; and how long a rate has to be known before it says when all will be there. */
const EVERY_MS = 100;
const SETTLED_MS = 1000;

/**
 * How far a transfer is, at what rate, and how long it still takes, on one line of a terminal: `12 MiB of 1.2 GiB  85 MiB/s  15 s left`.
 * `now` in milliseconds.
 */
export function transferProgress(
  output: Output,
  now: () => number,
): { update(transferred: Transferred): void; end(): void } {
  if (!output.isTTY) return { update: () => undefined, end: () => undefined };
  const line = progressLine(output);
  const startedAt = now();
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    update: (transferred) => {
      if (now() - shownAt < EVERY_MS && transferred.bytes < transferred.totalBytes) return;
      shownAt = now();
      line.update(describe(transferred, now() - startedAt));
    },
    end: () => line.end(),
  };
}

function describe({ bytes, totalBytes }: Transferred, elapsedMs: number): string {
  const done = `${size(bytes)} of ${size(totalBytes)}`;
  if (elapsedMs <= 0 || bytes === 0) return done;
  const perSecond = (bytes / elapsedMs) * 1000;
  const rate = `${done}  ${size(perSecond)}/s`;
  if (elapsedMs < SETTLED_MS) return rate;
  return `${rate}  ${time((totalBytes - bytes) / perSecond)} left`;
}

/** `45 s`, `3 min 20 s`, `2 h 5 min` */
function time(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
