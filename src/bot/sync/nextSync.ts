import { growingWait } from '../../base/growingWait.ts';

/** When the daemon looks at the state again. Contract, section 2: `SYNC_INTERVAL`, `SYNC_ON_CHANGE`. Milliseconds. */
export interface SyncPolicy {
  /** At least this often. */
  readonly intervalMs: number;
  /** This long after the last change of a burst; 0: changes do not bring it forward. */
  readonly onChangeMs: number;
}

export interface SyncHistory {
  /** When the last look began. */
  readonly lookedAt: number;
  /** When the last look failed; undefined when it did not. */
  readonly failures: number;
  /** First and last change hinted at since then. */
  readonly firstChangeAt: number | undefined;
  readonly lastChangeAt: number | undefined;
}

/** A burst that does not end is published this long after its first change. */
const LONGEST_BURST_MS = 10_000;
/** Publishes for changes are this far apart. */
const MIN_GAP_MS = 5_000;
/** First wait after a look that failed; doubles with each, up to the interval. */
const RETRY_MS = 2_000;

/** When the next look is due, by the clock that the history is of. Pure. */
export function nextSyncAt(history: SyncHistory, policy: SyncPolicy): number {
  const regular = history.lookedAt + policy.intervalMs;
  if (history.failures > 0) {
    const growth = { firstMs: RETRY_MS, longestMs: policy.intervalMs };
    return history.lookedAt + growingWait(growth, history.failures);
  }
  const { firstChangeAt, lastChangeAt } = history;
  if (policy.onChangeMs === 0 || firstChangeAt === undefined || lastChangeAt === undefined) return regular;
  const settled = Math.min(lastChangeAt + policy.onChangeMs, firstChangeAt + LONGEST_BURST_MS);
  return Math.min(regular, Math.max(settled, history.lookedAt + MIN_GAP_MS));
}
