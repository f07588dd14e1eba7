import type { RuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';
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

export function newWork(): Work {
  return {
    busy: false,
    again: false,
    errors: 0,
    error: undefined,
    failed: undefined,
    retryAt: 0,
    ready: undefined,
    conditions: [],
    asked: [],
  };
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
  work.retryAt = now + pause * (0.75 + random / 2);
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
