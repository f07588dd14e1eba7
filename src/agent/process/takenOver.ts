import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { replaceFile } from '../../base/replaceFile.ts';

/**
 * How a sync daemon in another container tells the supervisor that another instance has taken over: a file in `LOGS_PATH`,
 * which both have and which no bot that is another user can write.
 */
const NAME = 'fenced';
/** How soon the supervisor hears of it, milliseconds. */
const LOOK_MS = 1000;
const MAX_BYTES = 4096;

/** Seen whole or not at all, and not written through a link that lies there. */
export function tellTakenOver(logsPath: string, message: string): void {
  replaceFile(join(logsPath, NAME), message, { mode: 0o644 });
}

/** A new generation is ours. */
export function forgetTakenOver(logsPath: string): void {
  rmSync(join(logsPath, NAME), { force: true });
}

/** Throws `fenced` where that was told. */
export function refuseTakenOver(logsPath: string): void {
  const message = readTakenOver(logsPath);
  if (message === undefined) return;
  throw new RuntimeError('fenced', message, {
    op: 'start',
    path: join(logsPath, NAME),
    hint: 'Pull again to take the bot back: `runtime daemon init`, or `runtime daemon sync --pull`.',
  });
}

/** Resolves with what was told, when it is told; with undefined when aborted. */
export async function whenTakenOver(
  logsPath: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  while (!signal.aborted) {
    const message = readTakenOver(logsPath);
    if (message !== undefined) return message;
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
  return undefined;
}

function readTakenOver(logsPath: string): string | undefined {
  return readRegularFile(join(logsPath, NAME), MAX_BYTES);
}
