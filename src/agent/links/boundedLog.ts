import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';

/** Warns; `shown` is what it is about, of which a little is told. */
export type Bounded = (message: string, shown?: string) => void;

const EVERY_MS = 10_000;
const MAX_SHOWN = 200;

/** Warnings about what somebody else's program does: however often it does so, one message every ten seconds. */
export function boundedLog(log: Logger, clock: Pick<Clock, 'elapsed'>): Bounded {
  let next = Number.NEGATIVE_INFINITY;
  let held = 0;
  return (message, shown) => {
    if (clock.elapsed() < next) {
      held += 1;
      return;
    }
    next = clock.elapsed() + EVERY_MS;
    log.warn(message, {
      ...(shown === undefined ? {} : { line: shown.slice(0, MAX_SHOWN) }),
      ...(held === 0 ? {} : { more: held }),
    });
    held = 0;
  };
}
