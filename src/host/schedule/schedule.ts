/**
 * The room of time: when a scheduled bot runs. Pure, without a clock of its own.
 *
 *   parseSchedule   cron of five or six fields, `@every`, time zones: text in, a `Schedule` out
 *   nextInstant     the next time by the local clock, through gaps and repeated hours (`zone`)
 *   due             the times of an interval, the latest few of many
 */

/** Times at which a bot runs. Pure: the same question has the same answer. Milliseconds since the epoch. */
export interface Schedule {
  /** Equal for schedules with the same times. */
  readonly key: string;
  /** The first time after `after`; undefined: never again. For `@every`, one period after it. */
  next(after: number): number | undefined;
  /** Set for `@every`: it counts from the claim, not from the time that was due. */
  readonly everyMs: number | undefined;
}
