import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { type FileLock, openFileLock } from '../../base/fileLock.ts';
import { makeFolders } from '../../base/makeFolders.ts';

/**
 * A bot's directory for one `execute DIR` at a time: two would write the same state, logs and `exit.json`. Throws `refused`
 * while another one runs; the kernel gives the lock back when its holder dies.
 */
export async function lockDirectory(directory: string): Promise<FileLock> {
  const lock = await open(join(directory, '.runtime'));
  if (lock.take()) return lock;
  lock.close();
  throw new RuntimeError('refused', `the bot in ${directory} is already running`, {
    op: 'start.lock',
    path: directory,
    hint: 'Stop the other `runtime execute` first; `runtime query` asks the running bot, `runtime ask` the running agent.',
  });
}

async function open(own: string): Promise<FileLock> {
  try {
    makeFolders(own);
    return await openFileLock(join(own, 'lock'));
  } catch (error) {
    throw new RuntimeError('config', `${own} cannot be written: ${(error as Error).message}`, {
      op: 'start.lock',
      path: own,
      hint: 'Store, state and logs of a bot that runs in place are kept there.',
      cause: error,
    });
  }
}
