import { isRuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';

/** Milliseconds. */
export interface RetryPolicy {
  /** No attempt begins later than this after the first one, or after the last byte of a body that arrived. */
  readonly deadlineMs: number;
  /** The first pause at most; it doubles with every attempt. */
  readonly baseMs: number;
  /** The longest pause, whatever the store asks for. */
  readonly capMs: number;
}

export const defaultBackoff = { baseMs: 100, capMs: 3000 } as const;

export interface FailedAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** Milliseconds since the first attempt began. */
  readonly elapsedMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * Milliseconds to wait before the next attempt, or undefined: give up. Half of each pause is random, so that a
 * thousand bots that lost their store together do not come back together.
 */
export function nextDelay(policy: RetryPolicy, failed: FailedAttempt): number | undefined {
  const { attempt, error, elapsedMs, random } = failed;
  if (!isRuntimeError(error) || !error.retryable) return undefined;
  const left = policy.deadlineMs - elapsedMs;
  if (left <= 0) return undefined;
  const pause = growingWait({ firstMs: policy.baseMs, longestMs: policy.capMs }, attempt);
  const asked = error.retryAfterMs ?? 0;
  // MinIO says 60 s or 120 s of what is often over in one: more than a start or a last save has.
  const longest = (policy.capMs / 2) * (1 + random);
  return Math.min(left, asked > policy.capMs ? longest : Math.max(asked, (pause / 2) * (1 + random)));
}

/** Decides after a failure: resolves when it is time for the next attempt, throws the error when there is none. */
export type Backoff = (error: unknown) => Promise<void>;
