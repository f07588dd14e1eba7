import type { Clock } from '../../../base/clock.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { refusedFor } from '../http/httpError.ts';
import { Answering } from './answering.ts';

const MOST_AT_ONCE = 256;
const TOUCH_MS = 30_000;

/** Calls that are under way inside of sandboxes: each keeps its sandbox from being idle, there is a limit to them, and none waits for one that answers nothing. */
export class InUse {
  readonly #counts = new Map<string, number>();
  readonly #sandboxes: Pick<Sandboxes, 'touch' | 'dial' | 'wake'>;
  readonly #answering: Answering;

  constructor(sandboxes: Pick<Sandboxes, 'touch' | 'dial' | 'wake'>, clock: Clock) {
    this.#sandboxes = sandboxes;
    this.#answering = new Answering(sandboxes, clock);
  }

  /** Throws 429. `silent`: see `Answering`. */
  begin(id: string): Disposable & { readonly silent: AbortSignal } {
    const count = this.#counts.get(id) ?? 0;
    if (count >= MOST_AT_ONCE)
      throw refusedFor(1, 429, 'QUOTA_EXCEEDED', `${count} calls are under way in sandbox ${id}`, {
        quotaType: 'calls',
        current: count,
        limit: MOST_AT_ONCE,
      });
    this.#counts.set(id, count + 1);
    this.#sandboxes.touch(id);
    const timer = setInterval(() => this.#sandboxes.touch(id), TOUCH_MS);
    timer.unref();
    const answering = this.#answering.begin(id);
    return {
      silent: answering.silent,
      [Symbol.dispose]: () => {
        answering[Symbol.dispose]();
        clearInterval(timer);
        const left = (this.#counts.get(id) ?? 1) - 1;
        if (left === 0) this.#counts.delete(id);
        else this.#counts.set(id, left);
        this.#sandboxes.touch(id);
      },
    };
  }
}
