import type { Clock } from '../../../base/clock.ts';
import { TICK_MS } from '../format/tick.ts';
import type { Tree } from '../format/tree.ts';
import type { Scan } from '../local/scan.ts';
import type { Freezer } from './freezer.ts';
import type { PackWriter } from './packWriter.ts';
import type { Picture } from './picture.ts';

export interface CaptureOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly freezer: Freezer | undefined;
  /** The bot has ended and no process writes any more: one look is enough. */
  readonly still: boolean;
}

export interface Capture {
  readonly tree: Tree;
  readonly skipped: Scan['skipped'];
  readonly consistent: boolean;
  /** How long the bot was stopped, milliseconds. */
  readonly frozenMs: number;
}

const QUIET_PASSES = 4;
/** The part of the bot's 200 ms of standstill that looking and reading may take, milliseconds. */
const FROZEN_READ_MS = 140;
const FROZEN_LIMIT_MS = 195;
/** How long, and how often, a rewrite that was seen half-way may go on before the next look. */
const REWRITE_MS = 50;
const REWRITE_LOOKS = 3;

/** The tree as it stood at one moment. Unknown contents are read until nothing changes any more, at last with the bot stopped. */
export async function capture(
  picture: Picture,
  writer: PackWriter,
  options: CaptureOptions,
): Promise<Capture> {
  const frozen = { ms: 0 };
  const consistent =
    options.still ||
    (await untilQuiet(picture, writer, options)) ||
    (await whileFrozen(picture, writer, options, frozen));
  await picture.read(writer);
  return { tree: picture.latest.tree, skipped: picture.latest.skipped, consistent, frozenMs: frozen.ms };
}

async function untilQuiet(
  picture: Picture,
  writer: PackWriter,
  { clock, signal }: CaptureOptions,
): Promise<boolean> {
  let looks = 1;
  for (let pass = 0; pass < QUIET_PASSES; pass++) {
    await picture.read(writer);
    picture.look();
    if (picture.isSettled) {
      if (!picture.isCutShort || looks++ === REWRITE_LOOKS) return true;
      await clock.sleep(REWRITE_MS, signal);
      picture.look();
    } else if (!picture.latest.changed) {
      // Only time stamps too recent to prove anything: one tick later they will. Timers may be early by a millisecond.
      await clock.sleep(TICK_MS + 2, signal);
    }
  }
  return false;
}

async function whileFrozen(
  picture: Picture,
  writer: PackWriter,
  { clock, signal, freezer }: CaptureOptions,
  frozen: { ms: number },
): Promise<boolean> {
  for (let looks = 1; freezer; looks++) {
    await picture.read(writer);
    const startedAt = clock.elapsed();
    let complete = false;
    try {
      if (!(await freezer.freeze())) return false;
      picture.look();
      complete =
        picture.readAtOnce(writer, startedAt + FROZEN_READ_MS) &&
        clock.elapsed() - startedAt < FROZEN_LIMIT_MS;
    } finally {
      await freezer.thaw();
      frozen.ms += clock.elapsed() - startedAt;
    }
    if (!complete) return false;
    if (!picture.isCutShort || looks === REWRITE_LOOKS) return true;
    await clock.sleep(REWRITE_MS, signal);
  }
  return false;
}
