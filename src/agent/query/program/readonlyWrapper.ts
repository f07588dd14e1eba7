import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What keeps a program from writing to the state (images/landlock/readonly.c), and how much it can do here. */
export interface ReadonlyWrapper {
  /** Comes before the program's own arguments; empty where there is no helper. */
  readonly argv: readonly string[];
  /** Whether the kernel refuses writes. */
  readonly landlock: boolean;
}

const INSTALLED = '/usr/local/lib/runtime/readonly';

/** Finds the helper where the images have it, or beside the executable. */
export async function readonlyWrapper(
  statePath: string,
  candidates: readonly string[] = [INSTALLED, join(dirname(process.execPath), 'readonly')],
): Promise<ReadonlyWrapper> {
  for (const helper of candidates) {
    const isThere = await access(helper, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const landlock = await promisify(execFile)(helper, ['--check']).then(
      () => true,
      () => false,
    );
    return { argv: [helper, statePath, '--'], landlock };
  }
  return { argv: [], landlock: false };
}
