import type { RuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';
import type { Instance } from '../engine/engine.ts';
import type { Condition } from '../journal/condition.ts';
import type { Recorded } from '../reconcile/recorded.ts';
import type { Step } from '../reconcile/step.ts';

/** What the loop keeps of a bot while it lives, and need not know after. */
export interface Work {
  busy: boolean;
  /** Something may have changed since it was last looked at. */
  again: boolean;
  /** Steps that failed in a row, and the last one's error. */
  errors: number;
  error: RuntimeError | undefined;
  /** The action that failed. */
  failed: Step['action']['type'] | undefined;
  retryAt: number;
  /** The instance that runs, and when it was first seen to. */
  runs: { readonly id: string; readonly at: number } | undefined;
  ready: Step['ready'] | undefined;
  conditions: readonly Condition[];
  /** What an operator asks, to be written between two steps. */
  readonly asked: Asked[];
}

export interface Asked {
  readonly change: (recorded: Recorded) => Recorded;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** Each wait is so much longer or shorter at most. */
const SPREAD = 0.25;

export function newWork(): Work {
  return {
    busy: false,
    again: false,
    errors: 0,
    error: undefined,
    failed: undefined,
    retryAt: 0,
    runs: undefined,
    ready: undefined,
    conditions: [],
    asked: [],
  };
}

/** It is still too early for the step that failed. A wait that is longer than any was begun before the clock was set back. */
export function mustWait({ retryAt }: Work, now: number): boolean {
  return now < retryAt && retryAt - now <= LONGEST_MS * (1 + SPREAD);
}

/** Since when its instance runs: as that says, unless by the clock of another machine it has not even begun. */
export function runsSince(work: Work, instances: readonly Instance[] | undefined, now: number): number {
  const running = instances?.find(({ state }) => state === 'running');
  if (running === undefined) return now;
  if (work.runs?.id !== running.id) work.runs = { id: running.id, at: now };
  return Math.min(running.startedAt ?? now, work.runs.at);
}

/** Backs off. `random` in [0, 1). Whether the error is another one than before. */
export function noteError(
  work: Work,
  { action }: Step,
  error: RuntimeError,
  now: number,
  random: number,
): boolean {
  work.errors += 1;
  work.failed = action.type;
  const pause = growingWait({ firstMs: FIRST_MS, longestMs: LONGEST_MS }, work.errors);
  work.retryAt = now + pause * (1 - SPREAD + 2 * SPREAD * random);
  const isNew = work.error?.message !== error.message;
  work.error = error;
  return isNew;
}

/** What had failed works again. Other steps say nothing of it: a bot that is created and cannot be started is created over and over. */
export function noteDone(work: Work, { action }: Step): void {
  if (work.failed === action.type) forgetErrors(work);
}

export function forgetErrors(work: Work): void {
  work.errors = 0;
  work.failed = undefined;
  work.error = undefined;
  work.retryAt = 0;
}
