import { BlobTable, type Frame } from '../format/blobTable.ts';
import type { PlacedSegment } from '../format/segments.ts';
import { Tree } from '../format/tree.ts';
import type { LoadedSnapshot } from '../read/loadSnapshot.ts';

/** The tree as it was last published, and where its blobs are: what the next publish is compared with. */
export interface Published {
  readonly tree: Tree;
  readonly table: BlobTable;
  /** Of its manifest, in walk order; none where it is in the head. */
  readonly segments: readonly PlacedSegment[];
}

export const emptyPublished = (): Published => ({ tree: new Tree(), table: new BlobTable(), segments: [] });

export const publishedFrom = ({ tree, table, segments }: LoadedSnapshot): Published => ({
  tree,
  table,
  segments,
});

/** Bytes in use, by number of the pack: of each frame the share that its blobs in use have in it. */
export function liveBytes({ tree, table, segments }: Published): number[] {
  const live = table.packs.map(() => 0);
  for (const row of rowsOf(tree, segments)) {
    const frame = table.frame(row);
    if (frame) live[frame.pack]! += (frame.stored * table.size(row)) / frame.size;
  }
  return live.map(Math.ceil);
}

/** The same with nothing in the table but what the tree uses. */
export function compacted({ tree, table, segments }: Published): Published {
  const small = new BlobTable();
  const rows = new Map<number, number>();
  const frames = new Map<Frame, number>();
  const packs = new Map<number, number>();
  const addFrame = (frame: Frame) => {
    const pack = packs.get(frame.pack) ?? small.addPack(table.packs[frame.pack]!);
    packs.set(frame.pack, pack);
    return small.addFrame({ ...frame, pack });
  };
  for (const row of rowsOf(tree, segments)) {
    const copy = small.add(table.hash(row), table.size(row));
    rows.set(row, copy);
    const frame = table.frame(row);
    if (!frame) continue;
    const number = frames.get(frame) ?? addFrame(frame);
    frames.set(frame, number);
    small.place(copy, number, table.position(row));
  }
  tree.renumber((row) => rows.get(row)!);
  return { tree, table: small, segments: segments.map(({ row, end }) => ({ row: rows.get(row)!, end })) };
}

function rowsOf(tree: Tree, segments: readonly PlacedSegment[]): Set<number> {
  const rows = new Set(segments.map(({ row }) => row));
  for (let i = 0; i < tree.length; i++) for (const row of tree.blobs(i)) if (row >= 0) rows.add(row);
  return rows;
}
