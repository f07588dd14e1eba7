/** What is true of a bot now, and why: on the bot itself, not in a log. */
export interface Condition {
  readonly type: 'Ready' | 'Scheduled' | 'CodeAvailable' | 'Degraded' | 'Fenced' | 'Valid';
  readonly status: boolean | 'unknown';
  /** One word in CamelCase, for programs: `Running`, `BackOff`, `HostFull`. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** Since when `status` and `reason` have been so, milliseconds. */
  readonly since: number;
}

export type NewCondition = Omit<Condition, 'since'>;
