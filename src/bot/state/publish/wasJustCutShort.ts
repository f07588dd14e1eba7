import { comparePaths, type EntryPath } from '../format/entryPath.ts';
import type { Tree } from '../format/tree.ts';

const RECENT_MS = 1000;

/**
 * Whether a file of `tree` has lost bytes within the last second, compared with `published`: a rewrite that begins
 * by truncating looks like this half-way.
 */
export function wasJustCutShort(published: Tree, tree: Tree, now: number): boolean {
  for (let i = 0; i < tree.length; i++) {
    if (tree.ctime(i) / 1000 < now - RECENT_MS || tree.type(i) !== 'file') continue;
    const before = indexOf(published, tree.paths[i]!);
    if (before !== undefined && tree.size(i) < published.size(before)) return true;
  }
  return false;
}

/** Binary search; undefined when there is no such entry. */
function indexOf(tree: Tree, path: EntryPath): number | undefined {
  let low = 0;
  let high = tree.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = comparePaths(tree.paths[middle]!, path);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}
