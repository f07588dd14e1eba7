import { depthOf, type EntryPath } from './entryPath.ts';

/**
 * Whether a symlink at `path` with `target` (both with one character per byte) stays inside the tree at `root`.
 *
 * `..` is only allowed in front: there it climbs from the link's own, real folder. Behind a name it could climb out
 * through another link, since `x/..` is not `.` when `x` is a link.
 */
export function staysInside(path: EntryPath, target: EntryPath, root: EntryPath): boolean {
  if (target === '' || target.includes('\0')) return false;
  let rest: string = target;
  let height = depthOf(path) - 1;
  if (target.startsWith('/')) {
    if (target !== root && !target.startsWith(`${root}/`)) return false;
    rest = target.slice(root.length + 1);
    height = 0;
  }
  let climbing = true;
  for (const name of rest.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') climbing = false;
    else if (!climbing || --height < 0) return false;
  }
  return true;
}
