import { lstatSync, readdirSync } from 'node:fs';
import { systemCode } from '../../../base/errors.ts';
import { below, pathOfBytes, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import type { AroundMounts } from './aroundMounts.ts';
import { removeTree } from './removeTree.ts';
import type { TreeRoot } from './treeRoot.ts';
import { isLostAndFound } from './unsaveable.ts';

/**
 * Removes what lies in a state directory, and in what is mounted there. Returns the names that stay as they are: what is the
 * volume's, another user's and not ours to remove, or mounted read-only.
 */
export function emptyRoot(root: TreeRoot, around: AroundMounts | undefined): ReadonlySet<string> {
  const left = new Set<string>();
  for (const name of readdirSync(toSystemPath(root.path), 'latin1')) {
    if (name === RESERVED_NAME) continue;
    const entry = pathOfBytes(name);
    if (around?.holds(entry)) {
      around.empty(entry);
      if (around.isReadOnly(entry) || around.isOthers(entry)) left.add(name);
      continue;
    }
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
