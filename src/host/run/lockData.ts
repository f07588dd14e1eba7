import { RuntimeError } from '../../base/errors.ts';
import { type FileLock, openFileLock } from '../../base/fileLock.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Folders } from '../data/folders.ts';

/** One host for a data folder. The kernel gives the lock back when its holder dies. Throws `fenced` (75). */
export async function lockData(folders: Folders): Promise<FileLock> {
  let lock: FileLock;
  try {
    makeFolders(folders.data, 0o711);
    lock = await openFileLock(folders.lock);
  } catch (error) {
    throw new RuntimeError('config', `the data folder cannot be written: ${(error as Error).message}`, {
      op: 'host.lock',
      path: folders.data,
      hint: 'A host on the Docker Engine runs as root; --data names another folder.',
      cause: error,
    });
  }
  if (lock.take()) return lock;
  lock.close();
  throw new RuntimeError('fenced', `another host works with ${folders.data}`, {
    op: 'host.lock',
    path: folders.data,
    hint: 'One host for a data folder: end the other, or name another folder by --data.',
  });
}
