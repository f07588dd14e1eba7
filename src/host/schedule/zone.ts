/** One zone's offsets from UTC, as stretches of time with one offset each. Milliseconds. */
export interface Zone {
  readonly name: string;
  /** The stretch that `instant` lies in. */
  stretch(instant: number): Stretch;
}

/** `[from, to)`, infinite where the zone never changes. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Local time less UTC. */
  readonly offset: number;
  /** The offset of the stretch before. */
  readonly before: number;
}

/** Throws a RangeError for a name that is not a zone's. */
export function createZone(name: string): Zone {
  // Asks whether the name is known.
  const known = Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  let last: Stretch = { from: 0, to: 0, offset: 0, before: 0 };
  return {
    name: known,
    stretch: (instant) => {
      if (instant < last.from || instant >= last.to) last = read(known, instant);
      return last;
    },
  };
}

function read(name: string, instant: number): Stretch {
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(instant)).toZonedDateTimeISO(name);
  // `previous` is strictly before: a change at this very moment is the beginning of the stretch.
  const begin = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
  const end = at.getTimeZoneTransition('next');
  const before = begin?.subtract({ nanoseconds: 1 }).offsetNanoseconds ?? at.offsetNanoseconds;
  return {
    from: begin?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    to: end?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset: at.offsetNanoseconds / 1e6,
    before: before / 1e6,
  };
}
