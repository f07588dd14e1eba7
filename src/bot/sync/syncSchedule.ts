import type { Clock } from '../../base/clock.ts';
import { nextSyncAt, type SyncPolicy } from './nextSync.ts';

/** When the next look is due, by what has happened since the last one. */
export class SyncSchedule {
  readonly #policy: SyncPolicy;
  readonly #clock: Clock;
  #lookedAt: number;
  #failures = 0;
  #firstChangeAt: number | undefined;
  #lastChangeAt: number | undefined;
  #wake: (() => void) | undefined;

  constructor(policy: SyncPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#lookedAt = clock.elapsed();
  }

  /** Looks that failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  hint(): void {
    const now = this.#clock.elapsed();
    const isFirst = this.#firstChangeAt === undefined;
    this.#firstChangeAt ??= now;
    this.#lastChangeAt = now;
    // It moves the time forward once per burst: the first one; later ones are looked at when it is due.
    if (isFirst) this.#wake?.();
  }

  /** Resolves when a look is due, or when aborted. */
  async untilDue(signal: AbortSignal): Promise<void> {
    for (let wait = this.#waitMs(); wait > 0; wait = this.#waitMs()) {
      const nudge = new AbortController();
      this.#wake = () => nudge.abort();
      await this.#clock.sleep(wait, AbortSignal.any([signal, nudge.signal])).catch(() => undefined);
      this.#wake = undefined;
      if (signal.aborted) return;
    }
  }

  /** A look begins: a change that comes while we look is a new one. */
  begin(): void {
    this.#lookedAt = this.#clock.elapsed();
    this.#firstChangeAt = undefined;
    this.#lastChangeAt = undefined;
  }

  ended(how: 'well' | 'badly'): void {
    this.#failures = how === 'well' ? 0 : this.#failures + 1;
  }

  #waitMs(): number {
    const history = {
      lookedAt: this.#lookedAt,
      failures: this.#failures,
      firstChangeAt: this.#firstChangeAt,
      lastChangeAt: this.#lastChangeAt,
    };
    return nextSyncAt(history, this.#policy) - this.#clock.elapsed();
  }
}
