import type { Clock } from '../../base/clock.ts';

/** The time by which requests are signed. */
export interface StoreTime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** The store has taken a request of this time. */
  wasRight(): void;
  /**
   * The store has refused a request of the time `signedAt`, and its answer has this `Date`: whether another one may be taken, signed by the
   * store's own time. Several that are under way together may each ask.
   */
  correct(date: string | undefined, signedAt: number): boolean;
}

/** How far a signature may be off for S3, milliseconds. Date has whole seconds. */
const TOLERANCE_MS = 15 * 60_000;

/**
 * This machine's clock, until somebody sets it while the bot runs: then the clock that was right goes on, by the store's `Date`. One that is wrong
 * from the beginning is not mended: the time is in all that the bot does, and `RequestTimeTooSkewed` tells its operator.
 */
export function storeTime(clock: Clock): StoreTime {
  let aheadMs = 0;
  let isProven = false;
  return {
    now: () => clock.now() + aheadMs,
    wasRight: () => {
      isProven = true;
    },
    correct: (date, signedAt) => {
      const storeNow = Date.parse(date ?? '');
      if (!isProven || !(Math.abs(storeNow - signedAt) > TOLERANCE_MS)) return false;
      aheadMs = storeNow - clock.now();
      return true;
    },
  };
}
