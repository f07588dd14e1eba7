import type { Clock } from '../../base/clock.ts';

/** Between two rounds of work. One that something comes up for is cut short, also where that comes up during the round before it. */
export interface Pause {
  /** A round begins: it sees to all that has come up. */
  begin(): void;
  cutShort(): void;
  /** For `ms` milliseconds at most. */
  rest(ms: number, signal: AbortSignal): Promise<void>;
}

export function createPause(clock: Clock): Pause {
  let isCut = false;
  let wakeUp: () => void = () => undefined;
  return {
    begin: () => {
      isCut = false;
    },
    cutShort: () => {
      isCut = true;
      wakeUp();
    },
    rest: async (ms, signal) => {
      const awake = new AbortController();
      wakeUp = () => awake.abort();
      if (!isCut) await clock.sleep(ms, AbortSignal.any([signal, awake.signal])).catch(() => undefined);
    },
  };
}
