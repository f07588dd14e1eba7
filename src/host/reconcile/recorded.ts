import type { BotSpec } from '../bots/botSpec.ts';
import { isSameSpec } from '../bots/isSameSpec.ts';
import type { Rollback } from './rollbacks.ts';

/**
 * What a host must know of a bot and can read nowhere else: written down durably before it is acted upon. Everything else is in the source or in the engine. Times are milliseconds.
 */
export interface Recorded {
  readonly version: 1;
  /** Failed ends in a row. */
  readonly failures: number;
  /** Not started before. */
  readonly retryAt?: number;
  /** Why it is not started again, and with which hash it ended so: another hash is worth a new try. */
  readonly held?: { readonly hash: string; readonly reason: HeldReason; readonly message: string };
  /** The last end that has been counted. */
  readonly ended?: Ended;
  /** A stop under way. Kept until its instance has ended, whoever asks for what meanwhile. */
  readonly stopping?: Stopping;
  /** When an operator asked for a new start: what runs at the next look is ended for it. */
  readonly restartAsked?: number;
  /** Nothing is started before it is through. */
  readonly rollback?: Rollback;
  /** Scheduled bots: cron times after `from` are still to come. Absent while the bot is off: it misses nothing then. */
  readonly schedule?: { readonly key: string; readonly from: number };
  /** The source no longer has it, and was believed. It waits for nothing more; times after `schedule.from` count should it come back. */
  readonly goneSince?: number;
  /** A run that has been given out and has no result yet. */
  readonly claim?: Claim;
  /** One more run, when the present one has ended (`overlap: queue`). */
  readonly queued?: number;
  /** One run besides the schedule: an operator asked. */
  readonly runAsked?: number;
  readonly lastRun?: RunResult;
  /** What it was last started with, and before that: for `rollback`, and for what a bot needs that is no longer wanted. */
  readonly current?: Made;
  readonly previous?: Made;
  /** What the source last had of it that was a bot: it holds while the file is broken. */
  readonly good?: Good;
}

export interface Good {
  readonly origin: string;
  readonly spec: BotSpec;
}

export type HeldReason = 'Completed' | 'NeedsChange' | 'Fenced' | 'NeverRestarted';

export interface Made {
  readonly hash: string;
  readonly spec: BotSpec;
  /** What it had in common with all others: `Instances.base`. */
  readonly base?: string | undefined;
}

export interface Ended {
  /** The engine's id of the instance. */
  readonly id: string;
  readonly at: number;
  readonly exitCode: number | undefined;
  readonly reason: string;
}

export interface Stopping {
  readonly id: string;
  readonly since: number;
  readonly graceMs: number;
  /** SIGTERM has been sent. A second one would cut the bot's grace short. */
  readonly asked: boolean;
  readonly why: string;
}

export interface Claim {
  /** The time that it was due at: its identity. */
  readonly time: number;
  readonly claimedAt: number;
  /** Its instance exists. Written before it is started, so that one that is gone afterwards is lost and never run again. */
  readonly created: boolean;
}

export interface RunResult {
  readonly time: number;
  readonly outcome: 'done' | 'failed' | 'lost';
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly exitCode: number | undefined;
}

export const nothingRecorded: Recorded = { version: 1, failures: 0 };

/** The same, with `spec` itself wherever it holds one that is equal. */
export function withSpec(recorded: Recorded, spec: BotSpec): Recorded {
  const { current, previous, good } = recorded;
  const shared = <T extends { readonly spec: BotSpec }>(one: T): T =>
    isSameSpec(one.spec, spec) ? { ...one, spec } : one;
  return {
    ...recorded,
    ...(current && { current: shared(current) }),
    ...(previous && { previous: shared(previous) }),
    ...(good && { good: shared(good) }),
  };
}

/** `recorded` less `fields`. */
export function without<K extends keyof Recorded>(recorded: Recorded, ...fields: K[]): Recorded {
  const copy: Record<string, unknown> = { ...recorded };
  for (const field of fields) delete copy[field];
  return copy as unknown as Recorded;
}
