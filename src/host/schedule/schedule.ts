/** Times at which a bot runs. Pure: the same question has the same answer. Milliseconds since the epoch. */
export interface Schedule {
  /** Equal for schedules with the same times. */
  readonly key: string;
  /** The first time after `after`; undefined: never again. For `@every`, one period after it. */
  next(after: number): number | undefined;
  /** Set for `@every`: it counts from the claim, not from the time that was due. */
  readonly everyMs: number | undefined;
}
