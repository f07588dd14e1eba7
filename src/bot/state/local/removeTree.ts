import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { below, type EntryPath, pathOfBytes, toSystemPath } from '../format/entryPath.ts';

/** Linux's `O_PATH`, which `node:fs` does not name: a handle on what we may perhaps not read. */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_DIRECTORY } = constants;

/**
 * Removes `path` (one character per byte) with all below it, folders that forbid writing included. Goes by open folders:
 * whoever puts a link in a folder's place meanwhile does not lead it elsewhere.
 */
export function removeTree(path: EntryPath): void {
  const system = toSystemPath(path);
  const stat = lstatSync(system, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) {
    unlinkSync(system);
    return;
  }
  const fd = openSync(system, O_PATH | O_NOFOLLOW | O_DIRECTORY);
  try {
    const folder = pathOfBytes(`/proc/self/fd/${fd}`);
    if ((stat.mode & 0o700) !== 0o700) chmodSync(folder, 0o700);
    for (const name of readdirSync(`${folder}/`, 'latin1')) removeTree(below(folder, name));
  } finally {
    closeSync(fd);
  }
  try {
    rmdirSync(system);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
