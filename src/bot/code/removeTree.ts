import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';

/** Removes what is there, also folders that their owner made read-only, as some package caches are. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    openFolders(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/** Gives us the permission to change `path`, when it is a directory, and all directories below it. */
function openFolders(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) openFolders(join(path, name));
}
