import type { SignalSource } from '../supervisor/stop/stopRequest.ts';

export interface RunSignals {
  readonly source: SignalSource;
  /** As a SIGTERM to this run. */
  stop(): void;
}

/** The signals of one run among several in this process. What comes before anybody listens is not lost. */
export function runSignals(): RunSignals {
  const listeners = new Set<() => void>();
  let stops = 0;
  return {
    source: {
      on: (signal, listener) => {
        if (signal !== 'SIGTERM') return;
        listeners.add(listener);
        for (let told = 0; told < stops; told++) listener();
      },
      off: (_, listener) => listeners.delete(listener),
    },
    stop: () => {
      stops += 1;
      for (const listener of listeners) listener();
    },
  };
}
