import { type BigIntStats, constants, lstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../../base/errors.ts';
import type { ObjectInfo } from '../objectStore.ts';

/** An object is a regular file: no link is followed and no pipe or device is opened for good. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Every write stamps a file with a time later than that of the file it replaces, so time and size tell any two
 * objects of one key apart.
 */
export function infoOf(key: string, stats: BigIntStats): ObjectInfo {
  return {
    key,
    size: Number(stats.size),
    etag: `${stats.mtimeNs.toString(36)}-${stats.size.toString(36)}`,
    modified: Number(stats.mtimeMs),
  };
}

/** Undefined where there is no object. A directory is returned too: only the caller knows what it means. */
export function lstatOrNothing(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Undefined where `path` is something else than a regular file. */
export async function openObject(
  path: string,
): Promise<{ readonly handle: FileHandle; readonly stats: BigIntStats } | undefined> {
  const handle = await open(path, readFlags);
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}
