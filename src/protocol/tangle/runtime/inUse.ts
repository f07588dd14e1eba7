import type { Socket } from 'node:net';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { refusedFor } from '../http/httpError.ts';
import { type Answering, untilSilent } from './answering.ts';

const MOST_AT_ONCE = 256;
/** Between two looks at what is under way, milliseconds. */
const LOOK_MS = 1_000;

/** What of a call is use of its sandbox, and how long it may go on. */
export interface Use {
  /** Only bytes on it are: it may be held open by anybody, for nothing. Undefined: the call is, for as long as it is under way. */
  readonly connection?: Pick<Socket, 'bytesRead' | 'bytesWritten'>;
  /** Why it may not go on; undefined: it may. */
  readonly ended?: () => Error | undefined;
}

export interface InUseParts extends Answering {
  readonly sandboxes: Pick<Sandboxes, 'touch' | 'dial' | 'wake'>;
}

interface UnderWay extends Use {
  /** Bytes of its connection, when it was last looked at. */
  moved: number;
  readonly over: AbortController;
}

interface Used {
  readonly calls: Set<UnderWay>;
  /** None of them is under way any more. */
  readonly over: AbortController;
  /** Aborted when it answers nothing any more. Undefined: nobody looks whether it does. */
  silent: AbortSignal | undefined;
}

/**
 * Calls that are under way inside of sandboxes: each keeps its sandbox from being idle, there is a limit to them, and none waits for one that
 * answers nothing, or goes on when it may not any more.
 */
export class InUse {
  readonly #used = new Map<string, Used>();
  readonly #parts: InUseParts;

  constructor(parts: InUseParts) {
    this.#parts = parts;
  }

  /** Throws 429. `over`: aborted with the error that is its answer. */
  begin(id: string, use: Use = {}): Disposable & { readonly over: AbortSignal } {
    const used = this.#used.get(id) ?? this.#start(id);
    const { calls } = used;
    if (calls.size >= MOST_AT_ONCE)
      throw refusedFor(1, 429, 'QUOTA_EXCEEDED', `${calls.size} calls are under way in sandbox ${id}`, {
        quotaType: 'calls',
        current: calls.size,
        limit: MOST_AT_ONCE,
      });
    const call: UnderWay = { ...use, moved: movedOn(use), over: new AbortController() };
    calls.add(call);
    this.#parts.sandboxes.touch(id);
    used.silent ??= this.#watch(id, used);
    return {
      over: AbortSignal.any([call.over.signal, used.silent]),
      [Symbol.dispose]: () => {
        this.#look(id, call);
        calls.delete(call);
        if (calls.size > 0) return;
        this.#used.delete(id);
        used.over.abort();
      },
    };
  }

  #start(id: string): Used {
    const used: Used = { calls: new Set(), over: new AbortController(), silent: undefined };
    this.#used.set(id, used);
    void this.#lookOften(id, used);
    return used;
  }

  async #lookOften(id: string, { calls, over }: Used): Promise<void> {
    for (;;) {
      await this.#parts.clock.sleep(LOOK_MS, over.signal).catch(() => undefined);
      if (over.signal.aborted) return;
      for (const call of calls) this.#look(id, call);
    }
  }

  #look(id: string, call: UnderWay): void {
    const moved = movedOn(call);
    if (call.connection === undefined || moved !== call.moved) this.#parts.sandboxes.touch(id);
    call.moved = moved;
    const ended = call.ended?.();
    if (ended !== undefined) call.over.abort(ended);
  }

  #watch(id: string, used: Used): AbortSignal {
    const silent = new AbortController();
    void untilSilent(id, this.#parts, used.over.signal).then((error) => {
      if (error === undefined) return;
      // Whoever comes now waits anew.
      if (used.silent === silent.signal) used.silent = undefined;
      silent.abort(error);
    });
    return silent.signal;
  }
}

const movedOn = ({ connection }: Use): number =>
  connection === undefined ? 0 : connection.bytesRead + connection.bytesWritten;
