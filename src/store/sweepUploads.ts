import type { MultipartCalls } from './appendByCopy.ts';
import type { CallOptions } from './objectStore.ts';

/** Removes what a crash, or an answer that was lost, has left of appends in the directory of a key. */
export type Sweeper = {
  sweep(key: string, calls: MultipartCalls, options: CallOptions): Promise<void>;
  /** The next sweep has to look again. */
  forget(key: string): void;
};

/**
 * One sweep for each directory, before the first append there: objects that grow have one writer, so an upload that
 * is open by then is nobody's any more.
 */
export function createSweeper(): Sweeper {
  const swept = new Map<string, Promise<void>>();
  const sweepOnce = async (directory: string, calls: MultipartCalls, options: CallOptions) => {
    try {
      for (const upload of await calls.list(directory, options)) await calls.abort(upload, options);
    } catch {
      // Not allowed to list uploads, or not now: no reason not to append.
      swept.delete(directory);
    }
  };
  return {
    sweep(key, calls, options) {
      const directory = directoryOf(key);
      const running = swept.get(directory) ?? sweepOnce(directory, calls, options);
      swept.set(directory, running);
      return running;
    },
    forget: (key) => void swept.delete(directoryOf(key)),
  };
}

function directoryOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}
