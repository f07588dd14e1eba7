import type { RuntimeEvent } from './event.ts';

export interface NumberedEvent {
  readonly id: number;
  readonly event: RuntimeEvent;
}

export interface Backlog {
  readonly events: readonly NumberedEvent[];
  /** How many events the reader will never see; null: an unknown number, of an earlier process. */
  readonly missed: number | null;
  /** What to ask for next time. */
  readonly last: number;
}

/**
 * The last `capacity` events. Readers come with the id that they saw last and take what followed, so a slow one
 * holds nothing here: what left the buffer before it came back, it has missed and is told so.
 */
export class EventBuffer {
  readonly #capacity: number;
  #base: number;
  #events: NumberedEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #last: number;

  /**
   * Ids follow `base`. With the time of the start as base they also increase over restarts of the process, as long
   * as there is less than one event a millisecond.
   */
  constructor(capacity: number, base: number) {
    this.#capacity = capacity;
    this.#base = base;
    this.#last = base;
  }

  /** With an id where another process has numbered the event; one that is here already is not taken again. */
  append(event: RuntimeEvent, id = this.#last + 1): number {
    if (id <= this.#last && this.#events.length > 0) return this.#last;
    if (id !== this.#last + 1) this.#startAt(id - 1);
    this.#last = id;
    this.#events.push({ id, event });
    if (this.#events.length > this.#capacity) this.#events.shift();
    for (const wake of this.#waiting) wake();
    return this.#last;
  }

  /** What followed event `id`; 0: everything kept. */
  after(id: number): Backlog {
    const last = this.#last;
    const oldest = last - this.#events.length + 1;
    if (id === 0) return { events: [...this.#events], missed: 0, last };
    if (id < this.#base || id > last) return { events: [...this.#events], missed: null, last };
    const missed = Math.max(0, oldest - id - 1);
    return { events: this.#events.slice(Math.max(0, id + 1 - oldest)), missed, last };
  }

  /** Ids here are without gaps: what is known of before one cannot be told from what is missing. */
  #startAt(base: number): void {
    this.#events = [];
    this.#base = base;
  }

  /** Resolves with the next `append`, or when aborted. */
  async changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
