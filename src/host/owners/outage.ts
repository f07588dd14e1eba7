import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';
import { SILENT_MS } from './owners.ts';

/** What keeps this host from asking the store, and for how long it has. */
export interface Outage {
  failed(error: RuntimeError): void;
  /** The store has answered. */
  over(): void;
  /** Undefined: the last question was answered. */
  readonly error: RuntimeError | undefined;
  /** The same for an operator, with what to do about it. */
  readonly told: string | undefined;
  /** It is no single answer that was lost: this host goes on without the store. */
  readonly isStanding: boolean;
  /** When to ask again, milliseconds. */
  readonly againMs: number;
}

export const UNKNOWN = 'which other hosts have the same bots is not known';
/** Failed questions in a row: some 15 s where each fails at once, as while a store is started anew. */
const STANDING = 5;
const AGAIN = { firstMs: 1_000, longestMs: 10_000 };
/** A failure before a longer pause says nothing of now: the process had been stopped. */
const FORGOTTEN_MS = SILENT_MS / 2;

export function createOutage(clock: Clock): Outage {
  let error: RuntimeError | undefined;
  let failures = 0;
  let failedAt = 0;
  const isForgotten = () => Math.abs(clock.now() - failedAt) > FORGOTTEN_MS;
  return {
    failed: (known) => {
      failures = error === undefined || isForgotten() ? 1 : failures + 1;
      error = known;
      failedAt = clock.now();
    },
    over: () => {
      error = undefined;
    },
    get error() {
      return error;
    },
    get told() {
      if (error === undefined) return undefined;
      const what = `${UNKNOWN}: ${error.message}`;
      return error.hint === undefined ? what : `${what}. ${error.hint}`;
    },
    get isStanding() {
      if (error === undefined || isForgotten()) return false;
      // Somebody writes all the same, or nobody can: as long as that is not known, nothing may run twice.
      if (isRuntimeError(error, 'conflict')) return false;
      return failures >= STANDING || !isRuntimeError(error, 'unavailable');
    },
    get againMs() {
      return growingWait(AGAIN, failures);
    },
  };
}
