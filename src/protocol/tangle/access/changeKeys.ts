import { dirname, join } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import { openFileLock } from '../../../base/fileLock.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import { type KeptKey, readKeyFile } from './keyFile.ts';

/** Writes what `change` makes of the keys; of two at the same time one is refused (`conflict`), and neither undoes the other. */
export async function changeKeys(
  path: string,
  change: (keys: readonly KeptKey[]) => readonly KeptKey[],
): Promise<void> {
  makeFolders(dirname(path), 0o700);
  const lock = await openFileLock(join(dirname(path), 'keys.lock'));
  try {
    if (!lock.take())
      throw new RuntimeError('conflict', 'somebody else is changing the keys', { path, retryable: true });
    replaceFile(path, `${JSON.stringify(change(readKeyFile(path)), undefined, 2)}\n`, { mode: 0o600 });
    lock.release();
  } finally {
    lock.close();
  }
}
