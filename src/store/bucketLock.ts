import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { RuntimeError } from '../errors.ts';

const POLL_MS = 5;
const GIVE_UP_MS = 10_000;
const SQLITE_BUSY = 5;

/** Exclusion between processes, and between containers that share the directory. */
export interface BucketLock {
  /** Runs `critical` alone. It is synchronous, so that the lock is held for microseconds and never across a wait. */
  run<T>(critical: () => T, signal?: AbortSignal): Promise<T>;
  close(): void;
}

/**
 * A write lock on an empty SQLite database is the one lock of the operating system's that Node can take: the kernel
 * drops it when its holder dies, however it dies, which no lock file can promise across containers' process ids.
 */
export function openBucketLock(dir: string, clock: Clock): BucketLock {
  let database: Promise<DatabaseSync> | undefined;
  const open = async () => {
    const { DatabaseSync } = await import('node:sqlite');
    mkdirSync(dir, { recursive: true });
    return new DatabaseSync(join(dir, 'lock'), { timeout: 0 });
  };
  return {
    async run(critical, signal) {
      database ??= open();
      const db = await database.catch((error: unknown) => {
        database = undefined;
        throw error;
      });
      for (let waited = 0; !tryLock(db); waited += POLL_MS) {
        if (waited >= GIVE_UP_MS) throw stuck(dir);
        await clock.sleep(POLL_MS, signal);
      }
      try {
        return critical();
      } finally {
        db.exec('ROLLBACK');
      }
    },
    close() {
      database?.then(
        (db) => db.close(),
        () => {},
      );
      database = undefined;
    },
  };
}

function tryLock(db: DatabaseSync): boolean {
  try {
    db.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

function stuck(dir: string): RuntimeError {
  return new RuntimeError('unavailable', `another process holds the lock of ${dir}`, {
    op: 'store.lock',
    path: dir,
    retryable: true,
    hint: 'A process that uses this store has been stopped in the middle of a write.',
  });
}
