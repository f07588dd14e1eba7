import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';

/**
 * One attempt, given up after `ms`: a store that takes a request and then says nothing must not hold whoever waits for longer than its
 * operator allows. Throws `unavailable`, which is not tried again. Without `ms` there is no limit.
 */
export async function limited<T>(
  { clock, ms, store, signal }: TimeLimit,
  attempt: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return await attempt(signal);
  const late = new AbortController();
  const done = new AbortController();
  const giveUp = () => late.abort(silence(store, `has not answered within ${Math.round(ms)} ms`));
  clock.sleep(ms, done.signal).then(giveUp, () => undefined);
  try {
    return await attempt(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    done.abort();
  }
}

export interface TimeLimit {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly ms: number | undefined;
  /** For the message. */
  readonly store: string;
  readonly signal: AbortSignal | undefined;
}

/** Fewer bytes than these are not progress: they may come, one after the other, for ever. */
export const PROGRESS_BYTES = 64 * 1024;
/** How often it is looked at within the limit. */
const TICKS = 10;

/** Of a body that is being read: whether it gets on. */
export interface ProgressWatch {
  /** Aborted, with `unavailable` as its reason, when too little has arrived for too long. */
  readonly stalled: AbortSignal;
  /** From now on we wait for the store, also while the connection is made anew. */
  wait(): void;
  /** So many bytes are there, and our own reader has them; true: it gets on. */
  got(bytes: number): boolean;
  end(): void;
}

/** Time that our own reader takes does not count. Without `ms` nothing ever stalls. */
export function watchProgress({ clock, ms, store }: Omit<TimeLimit, 'signal'>): ProgressWatch {
  const stalled = new AbortController();
  const over = new AbortController();
  let waiting = false;
  let ticks = 0;
  let bytes = 0;
  const watch = async (limit: number) => {
    while (ticks < TICKS) {
      await clock.sleep(limit / TICKS, over.signal);
      if (waiting) ticks += 1;
    }
    stalled.abort(silence(store, `has sent less than ${PROGRESS_BYTES / 1024} KiB within ${limit} ms`));
  };
  let watching = ms === undefined;
  return {
    stalled: stalled.signal,
    wait: () => {
      waiting = true;
      if (watching) return;
      watching = true;
      watch(ms!).catch(() => undefined);
    },
    got: (count) => {
      waiting = false;
      bytes += count;
      if (bytes < PROGRESS_BYTES) return false;
      bytes = 0;
      ticks = 0;
      return true;
    },
    end: () => over.abort(),
  };
}

function silence(store: string, what: string): RuntimeError {
  return new RuntimeError('unavailable', `${store} ${what}`, {
    op: 'store.wait',
    hint: 'Check the store and the network to it; START_TIMEOUT says how long a start waits.',
  });
}
