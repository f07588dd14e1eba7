import type { Clock } from '../../base/clock.ts';

export interface ReachOptions {
  /** Whether something listens inside now. */
  readonly isThere: (id: string, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly changed: (id: string) => void;
  readonly signal: AbortSignal;
}

/** Which sandboxes have been reached from outside: a container that runs does not listen yet. */
export interface Reach {
  /** `instance`: the engine's id of the one that runs now; undefined: none does. */
  see(id: string, instance: string | undefined): void;
  has(id: string): boolean;
}

interface Looking {
  readonly instance: string;
  reached: boolean;
  readonly stop: AbortController;
}

const FIRST_MS = 10;
const LONGEST_MS = 500;

/** Looks for each new instance, sooner at first, until it is reached or gone. */
export function watchReach(options: ReachOptions): Reach {
  const known = new Map<string, Looking>();

  async function look(id: string, one: Looking): Promise<void> {
    const signal = AbortSignal.any([options.signal, one.stop.signal]);
    for (let pause = FIRST_MS; !signal.aborted; pause = Math.min(LONGEST_MS, pause * 1.5)) {
      const isThere = await options.isThere(id, signal).catch(() => false);
      if (signal.aborted) return;
      if (isThere) {
        one.reached = true;
        return options.changed(id);
      }
      await options.clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  return {
    see: (id, instance) => {
      const before = known.get(id);
      if (before?.instance === instance) return;
      before?.stop.abort();
      known.delete(id);
      if (instance === undefined) return;
      const one = { instance, reached: false, stop: new AbortController() };
      known.set(id, one);
      void look(id, one);
    },
    has: (id) => known.get(id)?.reached ?? false,
  };
}
