import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { HeldDisks } from '../data/holdDisks.ts';
import type { Loop } from '../loop/loop.ts';

export interface RestDisks {
  readonly disks: HeldDisks;
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
}

const EVERY_MS = 60_000;

/** Unmounts the disks of bots that do not run and are not to, at two looks one after the other: a step that is under way is over by then. */
export async function restDisks({ disks, loop, clock, log }: RestDisks, signal: AbortSignal): Promise<void> {
  let before = new Set<string>();
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const resting = new Set(loop.bots().filter((bot) => isResting(loop, bot)));
    for (const bot of resting) {
      if (!before.has(bot) || disks.used(bot) === undefined || !isResting(loop, bot)) continue;
      await disks
        .release(bot)
        .catch((error) => log.warn(`the disk of ${bot} stays mounted: ${asRuntimeError(error).message}`));
    }
    before = resting;
  }
}

function isResting(loop: Loop, bot: string): boolean {
  const { wanted, instances } = loop.state(bot);
  const isWanted = wanted.type !== 'present' || wanted.spec.enabled;
  return !isWanted && instances?.every(({ state }) => state === 'ended') === true;
}
