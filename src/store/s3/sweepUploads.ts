import type { CallOptions } from '../objectStore.ts';
import type { MultipartCalls } from './multipartCalls.ts';

/** Removes what a crash, or an answer that was lost, has left of appends to an object. */
export type Sweeper = {
  sweep(key: string, calls: MultipartCalls, options: CallOptions): Promise<void>;
  /** The next sweep has to look again. */
  forget(key: string): void;
};

/**
 * One sweep for each object, before the first append to it. Objects that grow have one writer, so an upload that is open by then is a
 * remnant. Asked for by the whole key: MinIO lists uploads for a whole key only.
 */
export function createSweeper(): Sweeper {
  const swept = new Map<string, Promise<void>>();
  const sweepOnce = async (key: string, calls: MultipartCalls, options: CallOptions) => {
    try {
      for (const upload of await calls.list(key, options)) await calls.abort(upload, options);
    } catch {
      // Not allowed to list uploads, or not now: no reason not to append.
      swept.delete(key);
    }
  };
  return {
    sweep(key, calls, options) {
      const running = swept.get(key) ?? sweepOnce(key, calls, options);
      swept.set(key, running);
      return running;
    },
    forget: (key) => void swept.delete(key),
  };
}
