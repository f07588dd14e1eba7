import { RuntimeError } from './errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** Exclusion between processes, and between containers that share the file. */
export interface FileLock {
  /** False when somebody else has it. Throws `unavailable` where the disk is full. */
  take(): boolean;
  release(): void;
  close(): void;
}

/**
 * A write lock on an empty SQLite database is the one lock of the operating system's that Node can take: the kernel
 * drops it when its holder dies, however it dies, which no lock file can promise across containers' process ids.
 */
export async function openFileLock(path: string): Promise<FileLock> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  return {
    take: () => {
      try {
        database.exec('BEGIN IMMEDIATE');
        return true;
      } catch (error) {
        const { errcode } = error as { errcode?: number };
        if (errcode === SQLITE_BUSY) return false;
        throw errcode === SQLITE_FULL ? full(path, error) : error;
      }
    },
    release: () => database.exec('ROLLBACK'),
    close: () => database.close(),
  };
}

function full(path: string, cause: unknown): RuntimeError {
  return new RuntimeError('unavailable', `${path} cannot be locked: the disk is full`, {
    op: 'file.lock',
    path,
    hint: 'Free space on the disk that holds it.',
    cause,
  });
}
