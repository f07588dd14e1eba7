import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Env } from '../../base/env.ts';

/** What running in a directory's virtual environment takes, and what is to be told of it. */
export interface VirtualEnv {
  /** As its `activate` would set them. */
  readonly variables: Env;
  readonly note: string | undefined;
}

/**
 * The virtual environment of Python in `directory`: `.venv`, else `venv`. One of another version than the kinds run is left alone
 * and told of: they look for `python3.11`, and its packages may not load there.
 */
export function virtualEnv(directory: string, path: string): VirtualEnv | undefined {
  const name = ['.venv', 'venv'].find((folder) => existsSync(join(directory, folder, 'pyvenv.cfg')));
  if (name === undefined) return undefined;
  const bin = join(directory, name, 'bin');
  if (!existsSync(join(bin, 'python3.11'))) {
    const note = `${name} has no python3.11 and is not used: python3.11 -m venv ${join(directory, name)} makes one that has`;
    return { variables: {}, note };
  }
  const variables = { VIRTUAL_ENV: join(directory, name), PATH: `${bin}${delimiter}${path}` };
  return { variables, note: undefined };
}
