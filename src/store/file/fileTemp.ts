import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';

/** A writer that lives touches its file more often than this; what is older was left by a crash. Milliseconds. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * A file with everything in it and on the disk, not yet visible under any key. Whoever moves it away has published
 * it; in any case it is gone when the scope ends.
 */
export interface TempFile extends AsyncDisposable {
  readonly path: string;
}

/** `base`: a file to begin with a copy of, shared with it where the file system can. */
export async function writeTemp(
  dir: string,
  bytes: AsyncIterable<Uint8Array>,
  base?: string,
): Promise<TempFile> {
  makeFolders(dir);
  const path = join(dir, randomUUID());
  const discard = () => rm(path, { force: true });
  try {
    if (base !== undefined) await copyFile(base, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const handle = await open(path, base === undefined ? 'wx' : 'a');
    try {
      await write(handle, bytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: discard };
}

async function write(handle: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await handle.writeFile(bytes);
  await handle.sync();
}

/** `now`: milliseconds since the epoch, by the clock that stamps files. */
export async function collectAbandoned(dir: string, now: number): Promise<void> {
  const names = await readdir(dir).catch(() => []);
  for (const name of names) {
    const path = join(dir, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats && now - stats.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
