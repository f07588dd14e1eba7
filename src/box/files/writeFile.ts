import { createHash, randomBytes } from 'node:crypto';
import { constants, readdirSync, rmSync } from 'node:fs';
import { chmod, type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { BoxError } from '../http/boxError.ts';
import { refuseOwn } from './paths.ts';

export interface Written {
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
  readonly size: number;
}

/**
 * Makes these bytes all that is in a file, and makes the folders above it. A reader, and whoever comes after a full disk or our death, sees the
 * old file or the new one; where its folder is closed to us, it is written over. A symlink leads to the file that is meant.
 */
export async function writeFile(
  path: string,
  content: AsyncIterable<Buffer> | readonly Buffer[],
  mode?: number,
): Promise<Written> {
  makeFolders(dirname(path));
  const { target, oldMode } = await targetOf(path);
  const temporary = join(dirname(target), temporaryName());
  let file: FileHandle;
  try {
    file = await open(temporary, 'wx', 0o600);
  } catch (error) {
    const isClosed = ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '');
    if (oldMode === undefined || !isClosed) throw ofTarget(error, target);
    return await writeOver(target, content, mode);
  }
  try {
    refuseOwn(file.fd);
    const written = await fill(file, content).finally(() => file.close());
    await chmod(temporary, mode ?? oldMode ?? 0o666 & ~process.umask());
    await rename(temporary, target);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw ofTarget(error, target);
  }
}

/** The system names our own file in its place. */
function ofTarget(error: unknown, target: string): unknown {
  return error instanceof Error && 'path' in error ? Object.assign(error, { path: target }) : error;
}

const TEMPORARY = '.runtime-upload-';

/** Of a file that is not whole yet. */
export const temporaryName = (): string => `${TEMPORARY}${randomBytes(9).toString('base64url')}`;

/** What a box that was killed has left of uploads that were not whole. */
export function sweepTemporary(workspace: string): void {
  for (const name of readdirSync(workspace)) {
    if (name.startsWith(TEMPORARY)) rmSync(join(workspace, name), { recursive: true, force: true });
  }
}

async function targetOf(path: string): Promise<{ target: string; oldMode: number | undefined }> {
  const found = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory()) throw new BoxError(400, 'IS_A_FOLDER', `${path} is a folder`);
  if (found && !found.isFile()) throw new BoxError(400, 'VALIDATION_ERROR', `${path} is not a file`);
  if (found) return { target: await realpath(path), oldMode: found.mode & 0o7777 };
  const link = await lstat(path).catch(() => undefined);
  if (link) throw new BoxError(409, 'CONFLICT', `${path} is a symlink that leads nowhere`);
  return { target: join(await realpath(dirname(path)), basename(path)), oldMode: undefined };
}

async function writeOver(
  target: string,
  content: AsyncIterable<Buffer> | readonly Buffer[],
  mode: number | undefined,
): Promise<Written> {
  const file = await open(target, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    refuseOwn(file.fd);
    const written = await fill(file, content);
    await file.truncate(written.size);
    if (mode !== undefined) await file.chmod(mode);
    return written;
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, content: AsyncIterable<Buffer> | readonly Buffer[]): Promise<Written> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of content) {
    hash.update(piece);
    for (let done = 0; done < piece.length; ) {
      done += (await file.write(piece, done, piece.length - done, size + done)).bytesWritten;
    }
    size += piece.length;
  }
  return { hash: hash.digest('hex'), size };
}
