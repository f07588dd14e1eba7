import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { asDiskFailure } from './diskFailure.ts';
import { toSystemPath } from './entryPath.ts';
import { RESERVED_NAME } from './format.ts';
import { openReserved } from './marker.ts';
import { removeTree } from './removeTree.ts';
import type { RestoreOptions } from './restoreReport.ts';
import type { TreeRoot } from './treeRoot.ts';

/** Where a tree is to be put. */
export interface Place extends RestoreOptions {
  readonly root: TreeRoot;
  /** Called just before the first change to what is there. */
  begin(): void;
}

/**
 * Builds a tree aside and moves it in when it is complete: what was there goes at that moment, not before. The
 * folders' modes and times come last, since moving needs to write in them.
 */
export async function intoPlace<T extends { finishFolders(base: string): void }>(
  { root, begin }: Place,
  build: (base: string) => Promise<T>,
): Promise<T> {
  const base = `${root.path}/${RESERVED_NAME}/incoming`;
  try {
    openReserved(root).close();
    removeTree(base);
    mkdirSync(toSystemPath(base), { mode: 0o700 });
    const built = await build(base);
    begin();
    for (const name of readdirSync(toSystemPath(root.path), 'latin1')) {
      if (name !== RESERVED_NAME) removeTree(`${root.path}/${name}`);
    }
    for (const name of readdirSync(toSystemPath(base), 'latin1')) {
      renameSync(toSystemPath(`${base}/${name}`), toSystemPath(`${root.path}/${name}`));
    }
    built.finishFolders(root.path);
    return built;
  } catch (error) {
    throw asDiskFailure(error, root);
  } finally {
    removeTree(base);
  }
}
