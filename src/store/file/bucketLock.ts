import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { type FileLock, openFileLock } from '../../base/fileLock.ts';
import { makeFolders } from '../../base/makeFolders.ts';

const POLL_MS = 5;
const GIVE_UP_MS = 10_000;

/** Exclusion between all who use the bucket. */
export interface BucketLock {
  /** Runs `critical` alone. It is synchronous, so that the lock is held for microseconds and never across a wait. */
  run<T>(critical: () => T, signal?: AbortSignal): Promise<T>;
  close(): void;
}

export function openBucketLock(dir: string, clock: Clock): BucketLock {
  let opened: Promise<FileLock> | undefined;
  const open = async () => {
    makeFolders(dir);
    return await openFileLock(join(dir, 'lock'));
  };
  return {
    async run(critical, signal) {
      opened ??= open();
      const lock = await opened.catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      for (let waited = 0; !lock.take(); waited += POLL_MS) {
        if (waited >= GIVE_UP_MS) throw stuck(dir);
        await clock.sleep(POLL_MS, signal);
      }
      try {
        return critical();
      } finally {
        lock.release();
      }
    },
    close() {
      opened?.then(
        (lock) => lock.close(),
        () => {},
      );
      opened = undefined;
    },
  };
}

function stuck(dir: string): RuntimeError {
  return new RuntimeError('unavailable', `another process holds the lock of ${dir}`, {
    op: 'store.lock',
    path: dir,
    retryable: true,
    hint: 'A process that uses this store has been stopped in the middle of a write.',
  });
}
