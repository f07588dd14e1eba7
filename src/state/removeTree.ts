import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { toSystemPath } from './entryPath.ts';

/** Removes `path` (one character per byte) with all below it, folders that forbid writing included. */
export function removeTree(path: string): void {
  const system = toSystemPath(path);
  const stat = lstatSync(system, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) {
    unlinkSync(system);
    return;
  }
  if ((stat.mode & 0o700) !== 0o700) chmodSync(system, 0o700);
  for (const name of readdirSync(system, 'latin1')) removeTree(`${path}/${name}`);
  try {
    rmdirSync(system);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
