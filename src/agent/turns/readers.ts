/** Those who wait for a turn to say more. */
export interface Readers {
  changed(id: string): void;
  /** Resolves at the next change, or when aborted. */
  whenChanged(id: string, signal: AbortSignal): Promise<void>;
}

export function createReaders(): Readers {
  const waiting = new Map<string, Set<() => void>>();
  return {
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
