import type { BlobTable } from './blobTable.ts';
import type { BlockRow, Entry } from './entryRow.ts';
import { blockSize } from './format.ts';
import { addBlob, placeBlob } from './frameRow.ts';
import type { Tree } from './tree.ts';

/** An entry of a tree, its blocks in the form that `blockOf` gives to rows of the blob table. */
export function entryAt(tree: Tree, index: number, blockOf: (row: number) => BlockRow): Entry {
  return {
    type: tree.type(index),
    path: tree.paths[index]!,
    mode: tree.mode(index),
    mtime: tree.mtime(index),
    size: tree.size(index),
    blocks: Array.from(tree.blobs(index), (row) => (row < 0 ? -row : blockOf(row))),
    target: tree.targets.get(index),
  };
}

/** Adds an entry from a manifest; `frames` are the numbers in `table` of the frames that its rows name. */
export function addEntry(tree: Tree, table: BlobTable, entry: Entry, frames: readonly number[]): void {
  const { path, type, mode, mtime, size } = entry;
  const index = tree.add(
    path,
    { type, mode, mtime, size, ctime: Number.NaN, inode: Number.NaN },
    entry.target,
  );
  if (type !== 'file') return;
  let position = 0;
  const blobs = entry.blocks.map((block) => {
    const number = position;
    position += typeof block === 'number' ? block : 1;
    if (typeof block === 'number') return -block;
    const blob = { hash: Buffer.from(block[0], 'hex'), size: blockSize(size, number) };
    if (block.length === 3) return placeBlob(table, blob, frames[block[1]]!, block[2]);
    return addBlob(table, blob);
  });
  tree.setContent(index, { blobs, size, doubtful: false });
}

/** Whether two trees are the same state: all but inodes and ctimes. Their rows may come from the same table only. */
export function isSameState(a: Tree, b: Tree, table: BlobTable): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (
      a.paths[i] !== b.paths[i] ||
      a.type(i) !== b.type(i) ||
      a.mtime(i) !== b.mtime(i) ||
      a.size(i) !== b.size(i) ||
      a.targets.get(i) !== b.targets.get(i) ||
      (a.type(i) !== 'link' && a.mode(i) !== b.mode(i)) ||
      !sameBlobs(a.blobs(i), b.blobs(i), table)
    ) {
      return false;
    }
  }
  return true;
}

function sameBlobs(a: Int32Array, b: Int32Array, table: BlobTable): boolean {
  if (a.length !== b.length) return false;
  return a.every((row, i) => {
    const other = b[i]!;
    return row === other || (row >= 0 && other >= 0 && table.hash(row).equals(table.hash(other)));
  });
}
