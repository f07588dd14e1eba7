import { BoxError } from './boxError.ts';

/** What all bodies that are being read may take together. */
export class BodyBudget {
  readonly #most: number;
  #taken = 0;

  /** Bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Throws `BoxError` 429. What was taken is to be given back. */
  take(bytes: number): void {
    if (this.#taken + bytes > this.#most) {
      throw new BoxError(429, 'UPLOAD_BUDGET_EXHAUSTED', 'as much is being sent as the sandbox can hold', {
        quotaType: 'upload bytes',
        current: this.#taken,
        limit: this.#most,
        retryAfter: 1,
        retryAfterMs: 1000,
      });
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}
