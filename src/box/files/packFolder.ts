import { lstat, opendir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BoxError } from '../http/boxError.ts';
import { openFile, pieces } from './openFile.ts';

type Pack = ReturnType<typeof import('../../base/parts/tar.ts')['pack']>;

/** A folder as a tar: files, folders and symlinks, as they are when their turn comes; what goes meanwhile is left out. Throws 400 for what is no folder. */
export async function packFolder(folder: string, signal: AbortSignal): Promise<Readable> {
  const path = await realpath(folder);
  if (!(await lstat(path)).isDirectory())
    throw new BoxError(400, 'NOT_A_FOLDER', `${folder} is not a folder`);
  const { pack } = await import('../../base/parts/tar.ts');
  const tar = pack();
  void add(tar, path, '.', signal).then(
    () => tar.finalize(),
    (error: Error) => tar.destroy(error),
  );
  return Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false });
}

async function add(tar: Pack, path: string, name: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  const header = { name, mode: found.mode & 0o7777, mtime: found.mtime, uid: found.uid, gid: found.gid };
  if (found.isDirectory()) {
    await entry(tar, { ...header, type: 'directory' });
    for await (const { name: child } of await opendir(path))
      await add(tar, join(path, child), `${name}/${child}`, signal);
  } else if (found.isSymbolicLink()) {
    const linkname = await readlink(path).catch(() => undefined);
    if (linkname !== undefined) await entry(tar, { ...header, type: 'symlink', linkname });
  } else if (found.isFile()) {
    const opened = await openFile(path).catch(() => undefined);
    if (!opened) throw new BoxError(403, 'FORBIDDEN', `${path} cannot be read`);
    const sink = tar.entry({ ...header, type: 'file', size: opened.size });
    await pipeline(pieces(opened.file, opened.size), sink as never);
  }
}

function entry(tar: Pack, header: Parameters<Pack['entry']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}
