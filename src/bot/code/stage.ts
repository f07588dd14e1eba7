import { mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { makeFolders } from '../../base/makeFolders.ts';
import { RESERVED_PREFIX } from './entryPath.ts';
import { removeTree } from './removeTree.ts';

/** A directory of our own inside the code path, so on its file system, in which everything is made before it counts. */
export interface Stage {
  readonly path: string;
  /** Where the tree is built. */
  readonly tree: string;
  /** Empties the tree. */
  reset(): void;
  /** Takes the stage away, and the code path too when `openStage` made it and nothing came to lie in it. */
  close(): void;
}

/** Makes `codePath` when it is missing; takes away the stages that a killed start has left. */
export function openStage(codePath: string): Stage {
  const made = makeFolders(codePath);
  for (const name of readdirSync(codePath)) {
    if (isStage(name)) removeTree(`${codePath}/${name}`);
  }
  // mkdtemp: mode 0700, and a name that no other user can have created before.
  const path = mkdtempSync(`${codePath}/${RESERVED_PREFIX}`);
  const tree = `${path}/tree`;
  mkdirSync(tree);
  return {
    path,
    tree,
    reset: () => {
      removeTree(tree);
      mkdirSync(tree);
    },
    close: () => {
      removeTree(path);
      if (made !== undefined && readdirSync(codePath).length === 0) rmdirSync(codePath);
    },
  };
}

function isStage(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX) && /^[A-Za-z0-9]{6}$/.test(name.slice(RESERVED_PREFIX.length));
}
