import { lstat, opendir, readlink, realpath } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { systemCode } from '../../base/errors.ts';
import { BoxError } from '../http/boxError.ts';
import { openFile, pieces } from './openFile.ts';

/**
 * A folder as a tar: files, folders and symlinks, as they are when their turn comes; what goes meanwhile is left out. Names are bytes: those that
 * are not UTF-8 are in it as well. Throws 400 for what is no folder.
 */
export async function packFolder(folder: string, signal: AbortSignal): Promise<Readable> {
  const path = await realpath(folder);
  if (!(await lstat(path)).isDirectory())
    throw new BoxError(400, 'NOT_A_FOLDER', `${folder} is not a folder`);
  const { TAR_END } = await import('../../base/tar/tarHeader.ts');
  async function* archive() {
    yield* entriesOf(Buffer.from(path), Buffer.from('.'), signal);
    yield TAR_END;
  }
  return Readable.from(archive(), { objectMode: false });
}

async function* entriesOf(path: Buffer, name: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const found = await unlessGone(lstat(path, { bigint: true }));
  if (found === undefined) return;
  const { tarHeader, tarPadding } = await import('../../base/tar/tarHeader.ts');
  const header = {
    name,
    mode: Number(found.mode) & 0o7777,
    mtime: Number(found.mtimeNs / 1000n),
    owner: { uid: Number(found.uid), gid: Number(found.gid) },
    size: 0,
  };
  if (found.isDirectory()) {
    yield tarHeader({ ...header, type: 'directory' });
    const children = await unlessGone(opendir(path, { encoding: 'buffer' as BufferEncoding }));
    for await (const child of children ?? []) {
      const bytes = child.name as unknown as Buffer;
      yield* entriesOf(below(path, bytes), below(name, bytes), signal);
    }
  } else if (found.isSymbolicLink()) {
    const linkname = await unlessGone(readlink(path, { encoding: 'buffer' }));
    if (linkname !== undefined) yield tarHeader({ ...header, type: 'symlink', linkname });
  } else if (found.isFile()) {
    const opened = await unlessGone(openFile(path));
    if (opened === undefined) return;
    const { file, size } = opened;
    try {
      yield tarHeader({ ...header, type: 'file', size });
      yield* pieces(file, size);
    } finally {
      // Whoever goes after the header takes no piece: what nobody closes ends the process.
      await file.close();
    }
    yield tarPadding(size);
  }
}

const below = (folder: Buffer, name: Buffer) => Buffer.concat([folder, Buffer.from('/'), name]);

/** Undefined: it is not there any more. Whatever else keeps us from it ends the archive: it would not be whole. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
