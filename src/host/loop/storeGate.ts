import { hasPassed } from '../../base/hasPassed.ts';

/**
 * Whether the store may be asked by a bot that is to start. While it does not answer, one bot a second asks, not a thousand;
 * with its first answer all go on. Milliseconds.
 */
export interface StoreGate {
  /** False: wait. True while the store is away means that the caller is the one who asks. */
  mayAsk(now: number): boolean;
  failed(now: number): void;
  answered(): void;
  /** Since when it does not answer. */
  readonly awaySince: number | undefined;
}

const PROBE_MS = 1_000;

export function createStoreGate(): StoreGate {
  let awaySince: number | undefined;
  let askedAt = 0;
  return {
    mayAsk: (now) => {
      if (awaySince === undefined) return true;
      if (!hasPassed(askedAt, PROBE_MS, now)) return false;
      askedAt = now;
      return true;
    },
    failed: (now) => {
      awaySince ??= now;
      askedAt = now;
    },
    answered: () => {
      awaySince = undefined;
    },
    get awaySince() {
      return awaySince;
    },
  };
}
