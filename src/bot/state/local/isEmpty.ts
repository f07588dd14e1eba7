import { lstatSync, readdirSync } from 'node:fs';
import { below, pathOfBytes, toSystemPath } from '../format/entryPath.ts';
import { RESERVED_NAME } from '../format/format.ts';
import { openRoot, type TreeRoot } from './treeRoot.ts';
import { isLostAndFound } from './unsaveable.ts';

/** Whether nothing but what is ours, and what every new volume has, lies in a state directory. */
export function isEmpty(root: TreeRoot): boolean {
  return readdirSync(toSystemPath(root.path), 'latin1').every((name) => {
    if (name !== 'lost+found') return name === RESERVED_NAME;
    const path = toSystemPath(below(root.path, pathOfBytes(name)));
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined || isLostAndFound(root, name, stat);
  });
}

/** The same of a path; false where that cannot be known. */
export function isNothingThere(statePath: string): boolean {
  try {
    return isEmpty(openRoot(statePath));
  } catch {
    return false;
  }
}
