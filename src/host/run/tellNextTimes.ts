import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Loop } from '../loop/loop.ts';
import type { Source } from '../sources/source.ts';

/** What changes in this time is told together. */
const GATHER_MS = 500;
const AGAIN_MS = 10_000;

/**
 * Tells a source that keeps it when each scheduled bot runs next: once its schedule is another one, and after each claim. Others
 * read it there; the host itself never does.
 */
export async function tellNextTimes(
  deps: { readonly loop: Loop; readonly source: Source; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { loop, source, clock, log } = deps;
  if (source.noteNextTimes === undefined) return;
  const told = new Map<string, number>();
  const changed = new Set<string>(loop.bots());
  let wake: () => void = () => undefined;
  const end = loop.onChange((bot) => {
    changed.add(bot);
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  let isAway = false;
  while (!signal.aborted) {
    if (changed.size === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    await clock.sleep(isAway ? AGAIN_MS : GATHER_MS, signal).catch(() => undefined);
    const times = new Map<string, number>();
    for (const bot of changed) {
      const next = nextTime(loop, bot);
      if (next === undefined) told.delete(bot);
      else if (told.get(bot) !== next) times.set(bot, next);
    }
    changed.clear();
    if (times.size === 0 || signal.aborted) continue;
    try {
      await source.noteNextTimes(times);
      for (const [bot, next] of times) told.set(bot, next);
      isAway = false;
    } catch (error) {
      if (!isAway) log.warn(`the next times of bots are not told: ${asRuntimeError(error).message}`);
      isAway = true;
      for (const bot of times.keys()) changed.add(bot);
    }
  }
  end();
}

/** Of a bot that is off nothing is told: it has no next time, and what was told last stands. */
function nextTime(loop: Loop, bot: string): number | undefined {
  const { wanted, recorded } = loop.state(bot);
  if (wanted.type !== 'present' || !wanted.spec.enabled || recorded.schedule === undefined) return undefined;
  return wanted.schedule?.next(recorded.schedule.from);
}
