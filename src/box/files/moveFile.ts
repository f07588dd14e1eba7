import { createReadStream } from 'node:fs';
import { chmod, lstat, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { BoxError } from '../http/boxError.ts';
import { writeFile } from './writeFile.ts';

export interface MoveOptions {
  readonly mode: number | undefined;
  readonly canReplace: boolean;
}

/** Gives a whole file of ours its place, at once, on whatever disk that is. Throws `BoxError` 400 and 409. */
export async function moveFile(file: string, path: string, { mode, canReplace }: MoveOptions): Promise<void> {
  makeFolders(dirname(path));
  const old = await lstat(path).catch(() => undefined);
  if (old && !canReplace) throw new BoxError(409, 'ALREADY_EXISTS', `${path} is there already`);
  const isPlain = !old || old.isFile();
  if (isPlain) {
    try {
      await chmod(file, mode ?? (old ? old.mode & 0o7777 : 0o666 & ~process.umask()));
      await rename(file, path);
      return;
    } catch (error) {
      if (!['EXDEV', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  await writeFile(path, createReadStream(file) as AsyncIterable<Buffer>, mode);
}
