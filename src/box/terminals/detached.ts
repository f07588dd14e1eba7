import type { Clock } from '../../base/clock.ts';
import type { Terminals } from './terminals.ts';

/** What a connection that has gone leaves is kept for as long, milliseconds: whoever comes back in time finds it. */
export const DETACH_MS = 5 * 60_000;

/** Terminals that were opened by a connection end when none is left for a while. */
export class Detached {
  readonly #terminals: Terminals;
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  readonly #leaving = new Map<string, AbortController>();

  constructor(terminals: Terminals, clock: Clock) {
    this.#terminals = terminals;
    this.#clock = clock;
  }

  attach(sessionId: string): Disposable {
    this.#leaving.get(sessionId)?.abort();
    this.#leaving.delete(sessionId);
    this.#counts.set(sessionId, (this.#counts.get(sessionId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#counts.get(sessionId) ?? 1) - 1;
        if (left > 0) this.#counts.set(sessionId, left);
        else {
          this.#counts.delete(sessionId);
          void this.#leave(sessionId);
        }
      },
    };
  }

  async #leave(sessionId: string): Promise<void> {
    if (this.#terminals.find(sessionId)?.connectionId === undefined) return;
    const leaving = new AbortController();
    this.#leaving.set(sessionId, leaving);
    try {
      await this.#clock.sleep(DETACH_MS, leaving.signal);
      await this.#terminals.close(sessionId);
    } catch {
      // Somebody came back, or it was closed.
    } finally {
      if (this.#leaving.get(sessionId) === leaving) this.#leaving.delete(sessionId);
    }
  }
}
