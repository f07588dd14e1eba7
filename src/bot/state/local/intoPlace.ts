import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { below, type EntryPath, pathOfBytes, toSystemPath } from '../format/entryPath.ts';
import { asDiskFailure } from './diskFailure.ts';
import { emptyRoot } from './emptyRoot.ts';
import { mountsBelow } from './mountsBelow.ts';
import { removeTree } from './removeTree.ts';
import { openReserved } from './reservedFolder.ts';
import type { RestoreOptions } from './restoreReport.ts';
import type { TreeRoot } from './treeRoot.ts';

/** Where a tree is to be put. */
export interface Place extends RestoreOptions {
  readonly root: TreeRoot;
  /** Called just before the first change to what is there; `folder` is ours, and open. */
  begin(folder: EntryPath): void;
}

/** What has been built; its folders are still open to us alone. */
interface Built {
  finishFolders(base: EntryPath, which: 'top' | 'nested', except?: ReadonlySet<string>): void;
}

/**
 * Builds a tree aside and moves it in when it is complete. The earlier tree goes at that moment, not before. The folder for building is
 * held open and no other user can write to it, so a bot in another container of the pod, to whom the directory belongs, cannot lead this
 * process elsewhere. In the directory itself, where the bot could, nothing is followed. Folders there are finished last, because moving
 * has to write in them.
 */
export async function intoPlace<T extends Built>(
  { root, begin }: Place,
  build: (base: EntryPath) => Promise<T>,
): Promise<T> {
  let reserved: ReturnType<typeof openReserved> | undefined;
  try {
    reserved = openReserved(root);
    const base = below(reserved.path, 'incoming');
    removeTree(base);
    mkdirSync(base, { mode: 0o700 });
    const built = await build(base);
    built.finishFolders(base, 'nested');
    const mounts = mountsBelow(root);
    const { AroundMounts } = mounts.length === 0 ? {} : await import('../parts/mounts.ts');
    const around = AroundMounts && new AroundMounts(root, mounts);
    begin(reserved.path);
    const left = emptyRoot(root, around);
    for (const name of readdirSync(base, 'latin1')) {
      // A snapshot may have that of another volume; any other name that is taken is an error.
      if (name === 'lost+found' && left.has(name)) continue;
      const from = below(base, name);
      if (around?.holds(pathOfBytes(name))) around.fill(from, pathOfBytes(name));
      else renameSync(toSystemPath(from), toSystemPath(below(root.path, name)));
    }
    built.finishFolders(root.path, 'top', left);
    return built;
  } catch (error) {
    throw asDiskFailure(error, root);
  } finally {
    if (reserved) removeTree(below(reserved.path, 'incoming'));
    reserved?.close();
  }
}
