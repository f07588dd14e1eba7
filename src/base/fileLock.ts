const SQLITE_BUSY = 5;

/** Exclusion between processes, and between containers that share the file. */
export interface FileLock {
  /** False when somebody else has it. */
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
        if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
        throw error;
      }
    },
    release: () => database.exec('ROLLBACK'),
    close: () => database.close(),
  };
}
