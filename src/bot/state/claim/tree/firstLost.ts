import { lstatSync } from 'node:fs';
import { type EntryPath, parentOf, toSystemPath } from '../../format/entryPath.ts';
import { staysInside } from '../../format/linkTarget.ts';
import { Tree } from '../../format/tree.ts';
import { entryStat } from '../../local/entryStat.ts';
import { hasContent } from '../../local/isReusable.ts';
import { scan } from '../../local/scan.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';
import type { LoadedSnapshot } from '../../read/loadSnapshot.ts';

/** After so long contents are on the disk: systems write them within a minute. µs. */
const WRITTEN_BACK = 10 * 60 * 1_000_000;

/**
 * The first entry of a snapshot that differs here, although nothing shows a change of it after `since` (µs), when it was the same.
 */
export function firstLost(root: TreeRoot, saved: LoadedSnapshot, since: number): EntryPath | undefined {
  const { tree } = saved;
  const local = scan(root, new Tree(), { restoredAt: 0 }).tree;
  const found = new Map(local.paths.map((path, index) => [path, index]));
  const rootCtime = entryStat(lstatSync(toSystemPath(root.path), { bigint: true })).ctime;
  const isOld = (path: EntryPath): boolean => {
    const index = found.get(path);
    return (path === '' ? rootCtime : index === undefined ? Number.NaN : local.ctime(index)) < since;
  };
  // A folder that was put in another's place brings old files to other paths.
  const hasOldFolders = (path: EntryPath): boolean => {
    const parent = parentOf(path);
    return parent === '' || (isOld(parent) && hasOldFolders(parent));
  };
  return tree.paths.find((path, index) => {
    const here = found.get(path);
    if (here === undefined) {
      const isLeftOut =
        tree.type(index) === 'link' && !staysInside(path, tree.targets.get(index)!, root.path);
      return isOld(parentOf(path)) && !isLeftOut;
    }
    if (!isOld(path)) return false;
    if (local.type(here) !== tree.type(index)) return hasOldFolders(path);
    if (tree.type(index) !== 'file') return false;
    if (local.mtime(here) !== tree.mtime(index)) return hasOldFolders(path);
    if (local.size(here) !== tree.size(index)) return true;
    return local.ctime(here) > since - WRITTEN_BACK && !hasContent(root, saved, index);
  });
}
