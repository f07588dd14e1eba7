/** A program hangs that has let so many queries time out, one after the other, */
const TIMEOUTS = 3;
/** and has answered nothing for as long. */
const SILENCE_MS = 60_000;

/** Tells a query program that hangs from one that is slow now and then. Times in milliseconds, of one clock. */
export class HangWatch {
  #timeouts = 0;
  #aliveAt = Number.NEGATIVE_INFINITY;
  #silentSince = 0;
  #lastTimeoutAt = 0;

  /** It has shown life. */
  answered(now: number): void {
    this.#aliveAt = now;
    this.#timeouts = 0;
  }

  /** A query that was asked then has timed out now. Gives whether the program hangs. */
  timedOut(askedAt: number, now: number): boolean {
    // It has answered others meanwhile: slow, not hung.
    if (askedAt < this.#aliveAt) return false;
    if (this.#timeouts === 0) this.#silentSince = askedAt;
    // Queries that waited together time out together, which is once.
    if (this.#timeouts === 0 || askedAt >= this.#lastTimeoutAt) {
      this.#timeouts += 1;
      this.#lastTimeoutAt = now;
    }
    return this.#timeouts >= TIMEOUTS && now - this.#silentSince >= SILENCE_MS;
  }
}
