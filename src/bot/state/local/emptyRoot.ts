import { lstatSync, readdirSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { below, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { removeTree } from './removeTree.ts';
import type { TreeRoot } from './treeRoot.ts';
import { isLostAndFound } from './unsaveable.ts';

/** Removes what lies in a state directory. Returns the names that stay: what is the volume's, or another user's and not ours to remove. */
export function emptyRoot(root: TreeRoot): ReadonlySet<string> {
  const left = new Set<string>();
  for (const name of readdirSync(toSystemPath(root.path), 'latin1')) {
    if (name === RESERVED_NAME) continue;
    const path = below(root.path, name);
    const stat = lstatSync(toSystemPath(path), { bigint: true, throwIfNoEntry: false });
    if (!stat) continue;
    if (isLostAndFound(root, name, stat)) {
      left.add(name);
      continue;
    }
    try {
      removeTree(path);
    } catch (error) {
      const isOthers = Number(stat.uid) !== process.geteuid!();
      if (!isOthers || !['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
      left.add(name);
    }
  }
  return left;
}
