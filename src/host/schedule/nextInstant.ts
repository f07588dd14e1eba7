import type { Stretch, Zone } from './zone.ts';

/** The fields of a cron expression, on a clock without zones. */
export interface Fields {
  /** The first match after `after`, both on the local clock read as if it were UTC. Whole seconds. */
  next(after: number): number | undefined;
  /** Seconds, minutes and hours have neither star nor step: times of day, which come once per day. */
  readonly fixed: boolean;
  /** The hours are not a plain star: a time in a gap does not come again within the hour. */
  readonly namesHours: boolean;
}

/**
 * The first instant after `after`. Where clocks go forward, a time in the gap comes at the first instant after it. Where they
 * go back, a fixed time comes once, the first time round; what has a star or a step comes at each real instant.
 */
export function nextInstant(fields: Fields, zone: Zone, after: number): number | undefined {
  // Exclusive. Each turn goes on to the next change of the zone's offset.
  let cursor = after;
  for (;;) {
    const stretch = zone.stretch(cursor + 1);
    if (stretch.from > after && comesInGap(fields, stretch)) return stretch.from;
    const local = fields.next(begin(fields, stretch, cursor));
    if (local === undefined) return undefined;
    if (local - stretch.offset < stretch.to) return local - stretch.offset;
    cursor = stretch.to - 1;
  }
}

/** The local time after which to look; for fixed times past what the clock shows for the second time. */
function begin({ fixed }: Fields, { from, offset, before }: Stretch, cursor: number): number {
  const local = cursor + offset;
  return fixed && before > offset ? Math.max(local, from + before - 1) : local;
}

function comesInGap({ namesHours, next }: Fields, { from, offset, before }: Stretch): boolean {
  if (!namesHours || offset <= before) return false;
  const local = next(from + before - 1);
  return local !== undefined && local < from + offset;
}
