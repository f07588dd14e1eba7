import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { systemCode } from './errors.ts';

/**
 * What is in the file at `path`, which is made of `make()` where there is none: mode 0600, whole or not there, and never over one that
 * is. Processes that begin at the same time all get the first one's.
 */
export function makeOnce(path: string, make: () => string | Buffer): Buffer {
  return read(path) ?? first(path, make());
}

function first(path: string, content: string | Buffer): Buffer {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(temporary, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readFileSync(path);
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
