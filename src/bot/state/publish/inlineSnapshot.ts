import { pack } from '../format/blob.ts';
import type { BlobTable } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { encodeEntry } from '../format/entryRow.ts';
import { INLINE_BYTES, INLINE_ENTRIES } from '../format/format.ts';
import type { Head, SnapshotRecord } from '../format/head.ts';
import type { Tree } from '../format/tree.ts';
import { entryAt } from '../format/treeEntries.ts';
import { inlineBlob } from '../read/inlineBlob.ts';
import type { PackWriter } from './packWriter.ts';
import type { SnapshotFacts } from './writeSnapshot.ts';

/** Whether a tree is to live inside the head. */
export function fitsInline(tree: Tree): boolean {
  return tree.length <= INLINE_ENTRIES && tree.totals().bytes < INLINE_BYTES;
}

/** The snapshot as the head carries it, with the blobs (`held`: by row) that the head's table does not have yet. */
export async function inlineSnapshot(
  facts: SnapshotFacts,
  { tree, table }: { readonly tree: Tree; readonly table: BlobTable },
  held: ReadonlyMap<number, Buffer>,
): Promise<{ readonly record: SnapshotRecord; readonly blobs: Readonly<Record<string, string>> }> {
  const hex = (row: number) => table.hash(row).toString('hex');
  const entries = tree.paths.map((_, i) => encodeEntry(entryAt(tree, i, (row) => [hex(row)])));
  const blobs: Record<string, string> = {};
  for (const [row, bytes] of held) blobs[hex(row)] = (await pack(bytes)).toString('base64');
  return { record: { ...facts, entries }, blobs };
}

/** The blobs that the inline snapshots of a history use. */
export function usedBlobs(snapshots: readonly SnapshotRecord[], blobs: Head['blobs']): Head['blobs'] {
  const text = JSON.stringify(snapshots.map((snapshot) => snapshot.entries ?? []));
  return Object.fromEntries(Object.entries(blobs).filter(([hash]) => text.includes(`"${hash}"`)));
}

/** Hands to `writer` what a tree has only in the head's table, and gives it the new rows. Throws `damaged`. */
export function packInline(
  context: StateContext,
  { tree, table }: { readonly tree: Tree; readonly table: BlobTable },
  blobs: Head['blobs'],
  writer: PackWriter,
): void {
  const moved = new Map<number, number>();
  for (let i = 0; i < tree.length; i++) {
    for (const row of tree.blobs(i)) {
      if (row < 0 || table.frame(row) !== undefined || writer.has(row) || moved.has(row)) continue;
      const bytes = inlineBlob(context, table, row, blobs);
      moved.set(row, writer.add(Buffer.from(table.hash(row)), bytes));
    }
  }
  tree.renumber((row) => moved.get(row) ?? row);
}
