import { closeSync, constants, fchownSync, mkdirSync, openSync } from 'node:fs';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';

/**
 * The room of what a task reads and leaves: its inputs are brought before the start (`pullInputs`) and must be there
 * (`inputsThere`), its outputs are saved after a good end (`saveOutputs`). All of them lie in the code path, which belongs to
 * the bot: whatever is there may be a link to anywhere, put there between two looks. So a path is walked folder by folder, each
 * opened without following links, and used by its descriptor.
 */

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Calls `use` with the path of `path` (relative to `root`, `/`-separated) by the descriptor of its folder, in which no part can be
 * exchanged any more but the last. With `owner`, folders that are missing are made and given to them. Throws `config` where
 * a folder is a link; the system's error where there is none.
 */
export async function insideFolder<T>(
  root: string,
  path: string,
  make: { readonly owner: Owner | undefined } | undefined,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const segments = path.split('/');
  const name = segments.pop() ?? '';
  let folder = openSync(root, FOLDER);
  try {
    for (const segment of segments) {
      const next = step(`/proc/self/fd/${folder}/${segment}`, make, path);
      closeSync(folder);
      folder = next;
    }
    return await use(`/proc/self/fd/${folder}/${name}`);
  } finally {
    closeSync(folder);
  }
}

function step(folder: string, make: { readonly owner: Owner | undefined } | undefined, path: string): number {
  const open = () => openSync(folder, FOLDER | constants.O_NOFOLLOW);
  try {
    return open();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOOP' || code === 'ENOTDIR') {
      throw new RuntimeError('config', `${path} goes through something that is not a folder`, {
        path,
        hint: 'A file of a task may not lie behind a symbolic link.',
        cause: error,
      });
    }
    if (code !== 'ENOENT' || !make) throw error;
  }
  mkdirSync(folder, 0o755);
  const made = open();
  if (make.owner) fchownSync(made, make.owner.uid, make.owner.gid);
  return made;
}
