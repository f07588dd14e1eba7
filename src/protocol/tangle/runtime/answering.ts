import type { Clock } from '../../../base/clock.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import { lookInside } from './lookInside.ts';

/** Between two looks, milliseconds. */
const LOOK_MS = 3_000;
/** So many looks in a row without an answer, a minute and a half, and nobody waits any more. */
const MOST_MISSES = 12;

interface Watched {
  calls: number;
  readonly over: AbortController;
  readonly silent: AbortController;
}

/**
 * Looks, while calls are under way in a sandbox, whether it still answers anything at all: it takes connections also when its first process
 * stands still, and whatever runs inside may have sent that a SIGSTOP. It is told to go on then; where that does not help, all
 * that wait are told.
 */
export class Answering {
  readonly #watched = new Map<string, Watched>();
  readonly #sandboxes: Pick<Sandboxes, 'dial' | 'wake'>;
  readonly #clock: Clock;

  constructor(sandboxes: Pick<Sandboxes, 'dial' | 'wake'>, clock: Clock) {
    this.#sandboxes = sandboxes;
    this.#clock = clock;
  }

  /** `silent` is aborted with the error for whoever waits. */
  begin(id: string): Disposable & { readonly silent: AbortSignal } {
    const watched = this.#watched.get(id) ?? this.#start(id);
    watched.calls += 1;
    return {
      silent: watched.silent.signal,
      [Symbol.dispose]: () => {
        watched.calls -= 1;
        if (watched.calls === 0) this.#forget(id, watched);
      },
    };
  }

  #start(id: string): Watched {
    const watched = { calls: 0, over: new AbortController(), silent: new AbortController() };
    this.#watched.set(id, watched);
    void this.#watch(id, watched);
    return watched;
  }

  async #watch(id: string, watched: Watched): Promise<void> {
    const { over, silent } = watched;
    for (let misses = 0; misses < MOST_MISSES; ) {
      await this.#clock.sleep(LOOK_MS, over.signal).catch(() => undefined);
      if (over.signal.aborted) return;
      if (await this.#answers(id, over.signal)) misses = 0;
      else {
        misses += 1;
        await this.#sandboxes.wake(id, over.signal).catch(() => undefined);
      }
    }
    this.#forget(id, watched);
    silent.abort(unanswering(id));
  }

  /** One that refuses, or is gone, has told it to whoever waits. */
  async #answers(id: string, over: AbortSignal): Promise<boolean> {
    try {
      const asked = { sandboxes: this.#sandboxes, clock: this.#clock };
      return (await lookInside(asked, id, over)) !== undefined;
    } catch {
      return true;
    }
  }

  #forget(id: string, watched: Watched): void {
    watched.over.abort();
    if (this.#watched.get(id) === watched) this.#watched.delete(id);
  }
}

function unanswering(id: string): HttpError {
  return new HttpError(
    502,
    'SANDBOX_UNREACHABLE',
    `sandbox ${id} takes connections and answers nothing: its first process was stopped from inside, or gets no processor. Stop it, and resume it`,
  );
}
