import type { Schedule } from './schedule.ts';

/** What has become due in `(from, now]`. */
export interface Due {
  /** The latest times, oldest first, at most `most`. */
  readonly times: readonly number[];
  /** There may be earlier ones. */
  readonly earlier: boolean;
  /** The first time after now; undefined: none. */
  readonly next: number | undefined;
}

const LEAST_SPAN_MS = 1_000;

export function dueTimes(schedule: Schedule, from: number, now: number, most: number): Due {
  const first = schedule.next(from);
  if (first === undefined || first > now) return { times: [], earlier: false, next: first };
  // Back from now in windows that grow until one holds enough: to walk on from `from` may take years' worth of seconds, where a machine
  // was away or its clock is set.
  for (let span = LEAST_SPAN_MS; ; span *= 8) {
    const start = Math.max(from, now - span * most);
    const { times, next } = walk(schedule, start, now);
    if (times.length >= most || start === from) {
      const kept = times.slice(-most);
      return { times: kept, earlier: kept[0] !== first, next };
    }
  }
}

function walk(schedule: Schedule, start: number, now: number) {
  const times: number[] = [];
  let next = schedule.next(start);
  while (next !== undefined && next <= now) {
    times.push(next);
    next = schedule.next(next);
  }
  return { times, next };
}
