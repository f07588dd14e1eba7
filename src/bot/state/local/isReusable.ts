import { lstatSync } from 'node:fs';
import type { Owner } from '../../../base/owner.ts';
import { below, type EntryPath, toSystemPath } from '../format/entryPath.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import type { LoadedSnapshot } from '../read/loadSnapshot.ts';
import { entryStat } from './entryStat.ts';
import { readBlocks } from './readBlocks.ts';
import type { TreeRoot } from './treeRoot.ts';
import { isTooLong } from './unsaveable.ts';

/**
 * Whether the file that lies at `root` is the entry: same mode, size and time, and, since somebody else's tree has been
 * the newer one, same content by its hashes.
 */
export function isReusable(
  root: TreeRoot,
  { tree, table }: LoadedSnapshot,
  index: number,
  owner: Owner | undefined,
): boolean {
  const path = tree.paths[index]!;
  if (isTooLong(root, path)) return false;
  const stat = lstatSync(toSystemPath(below(root.path, path)), { throwIfNoEntry: false, bigint: true });
  if (!stat?.isFile() || stat.nlink !== 1n) return false;
  if (owner && (Number(stat.uid) !== owner.uid || Number(stat.gid) !== owner.gid)) return false;
  const { mode, mtime, size } = entryStat(stat);
  if (mode !== tree.mode(index) || mtime !== tree.mtime(index) || size !== tree.size(index)) return false;
  return hasContent(root, { tree, table }, index);
}

/** Whether the file at the entry's path holds what the entry says, by its hashes. */
export function hasContent(
  root: TreeRoot,
  { tree, table }: Pick<LoadedSnapshot, 'tree' | 'table'>,
  index: number,
): boolean {
  const expected = tree.blobs(index);
  const found = readFile(root, tree.paths[index]!, tree.size(index));
  if (!found) return false;
  return (
    found.blobs.length === expected.length &&
    found.blobs.every((row, i) => {
      const other = expected[i]!;
      if (row < 0 || other < 0) return row === other;
      return table.hash(other).equals(found.hashes[row]!);
    })
  );
}

function readFile(root: TreeRoot, path: EntryPath, size: number) {
  const hashes: Buffer[] = [];
  const sink = { add: (hash: Buffer) => hashes.push(hash) - 1 };
  const blocks = readBlocks(root, path, size, Buffer.allocUnsafe(Math.min(size, BLOCK_BYTES)), sink);
  for (let step = blocks.next(); ; step = blocks.next()) {
    if (step.done)
      return step.value && step.value.size === size ? { blobs: step.value.blobs, hashes } : undefined;
  }
}
