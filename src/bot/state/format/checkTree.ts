import { RuntimeError } from '../../../base/errors.ts';
import { comparePaths, type EntryPath, parentOf, ROOT } from './entryPath.ts';
import type { Tree } from './tree.ts';

/**
 * Throws `damaged` unless the entries are in walk order without repetition and each lies in a folder of the same
 * tree. So no entry can be written through a link or outside.
 */
export function checkTree(tree: Tree): void {
  const folders: EntryPath[] = [ROOT];
  for (const [i, path] of tree.paths.entries()) {
    const parent = parentOf(path);
    while (folders.length > 0 && folders.at(-1) !== parent) folders.pop();
    if (folders.length === 0 || (i > 0 && comparePaths(tree.paths[i - 1]!, path) >= 0)) {
      throw new RuntimeError('damaged', `the manifest has an entry out of place: ${JSON.stringify(path)}`, {
        op: 'state.read',
      });
    }
    if (tree.type(i) === 'folder') folders.push(path);
  }
}
