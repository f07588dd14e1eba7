import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

/**
 * Makes a folder and those above it, as far as they are missing; the first one that it has made, if any. Not Node's own `recursive`:
 * below /proc, where nothing can be made and the kernel says ENOENT, that goes on for ever. Throws the system's error.
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  try {
    return makeFolder(path, mode);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const first = makeFolders(dirname(path), mode);
    const last = makeFolder(path, mode);
    return first ?? last;
  }
}

function makeFolder(path: string, mode: number): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
    return undefined;
  }
}
