import { BlobTable } from './blobTable.ts';
import type { LoadedSnapshot } from './loadSnapshot.ts';
import { Tree } from './tree.ts';

/** The tree as it was last published, and where its blobs are: what the next publish is compared with. */
export interface Published {
  readonly tree: Tree;
  readonly table: BlobTable;
  /** Rows of the manifest's segments. */
  readonly segments: readonly number[];
}

export const emptyPublished = (): Published => ({ tree: new Tree(), table: new BlobTable(), segments: [] });

export const publishedFrom = ({ tree, table, segments }: LoadedSnapshot): Published => ({
  tree,
  table,
  segments,
});

/** Bytes in use, by number of the pack. */
export function liveBytes({ tree, table, segments }: Published): number[] {
  const live = table.packs.map(() => 0);
  for (const row of rowsOf(tree, segments)) {
    const pack = table.pack(row);
    if (pack !== undefined) live[pack]! += table.stored(row);
  }
  return live;
}

/** The same with nothing in the table but what the tree uses. */
export function compacted({ tree, table, segments }: Published): Published {
  const small = new BlobTable();
  const rows = new Map<number, number>();
  const packs = new Map<number, number>();
  for (const row of rowsOf(tree, segments)) {
    const copy = small.add(table.hash(row));
    rows.set(row, copy);
    const pack = table.pack(row);
    if (pack === undefined) continue;
    const number = packs.get(pack) ?? small.addPack(table.packs[pack]!);
    packs.set(pack, number);
    small.place(copy, number, table.offset(row), table.stored(row));
  }
  tree.renumber((row) => rows.get(row)!);
  return { tree, table: small, segments: segments.map((row) => rows.get(row)!) };
}

function rowsOf(tree: Tree, segments: readonly number[]): Set<number> {
  const rows = new Set(segments);
  for (let i = 0; i < tree.length; i++) for (const row of tree.blobs(i)) if (row >= 0) rows.add(row);
  return rows;
}
