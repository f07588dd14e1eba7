import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Instances } from '../instances/instances.ts';
import type { Journal } from '../journal/event.ts';
import type { Loop } from '../loop/loop.ts';

export interface FollowImage {
  /** Its name, as it is configured. */
  readonly image: string;
  readonly instances: Instances;
  readonly loop: Loop;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
}

const EVERY_MS = 10_000;
/** An image that is nowhere is not asked for at a registry every few seconds. */
const LONGEST_MS = 120_000;

/** Looks again and again what the image's name means. Built or pulled anew under the same name, it is a change of all bots. */
export async function followImage(deps: FollowImage, signal: AbortSignal): Promise<void> {
  const { image, instances, loop, journal, clock, log } = deps;
  for (let pause = EVERY_MS; !signal.aborted; ) {
    await clock.sleep(pause, signal).catch(() => undefined);
    // Until a bot has needed it nobody has asked for it.
    if (signal.aborted || instances.base() === undefined) continue;
    try {
      const isOther = await instances.refresh(signal);
      pause = EVERY_MS;
      if (!isOther) continue;
      const message = `${image} is another image now: what runs is replaced in waves`;
      journal.write({ type: 'changed', bot: undefined, message, facts: { image } });
      log.info(message);
      for (const bot of loop.bots()) loop.wake(bot);
    } catch (error) {
      if (signal.aborted) return;
      if (pause === EVERY_MS) log.warn(`${image} cannot be looked at: ${asRuntimeError(error).message}`);
      pause = Math.min(LONGEST_MS, pause * 2);
    }
  }
}
