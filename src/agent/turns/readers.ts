/** Those who wait for a turn to say more. */
export interface Readers {
  changed(id: string): void;
  /** Resolves at the next change, or when aborted. */
  whenChanged(id: string, signal: AbortSignal): Promise<void>;
  /** The last event of a turn that has ended, as it is sent, while somebody has the turn. */
  readonly ends: WeakMap<object, Buffer>;
}

export function createReaders(): Readers {
  const waiting = new Map<string, Set<() => void>>();
  return {
    ends: new WeakMap(),
    changed: (id) => {
      const wake = waiting.get(id);
      waiting.delete(id);
      for (const go of wake ?? []) go();
    },
    whenChanged: (id, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const set = waiting.get(id) ?? new Set();
        waiting.set(id, set);
        const go = () => {
          signal.removeEventListener('abort', go);
          set.delete(go);
          resolve();
        };
        set.add(go);
        signal.addEventListener('abort', go, { once: true });
      }),
  };
}
