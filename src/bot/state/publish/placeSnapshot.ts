import type { Head, SnapshotRecord } from '../format/head.ts';
import type { Tree } from '../format/tree.ts';
import { fitsInline, inlineSnapshot, packInline } from './inlineSnapshot.ts';
import { PackWriter } from './packWriter.ts';
import type { Published } from './published.ts';
import { packsTarget, type Target } from './target.ts';
import type { PublishContext } from './uploads.ts';
import { type SnapshotFacts, writeSnapshot } from './writeSnapshot.ts';

export interface Placement {
  readonly facts: SnapshotFacts;
  readonly tree: Tree;
  /** Has the table to which the tree's rows belong. */
  readonly published: Published;
  readonly head: Head;
  readonly target: Target;
  /** Has the contents that were read of the tree. */
  readonly writer: PackWriter;
}

export interface Placed {
  readonly record: SnapshotRecord;
  readonly published: Published;
  /** What it adds to the head's table. */
  readonly blobs: Head['blobs'];
  /** Bytes that were sent for it, the head not counted. */
  readonly uploadedBytes: number;
}

/** Puts a snapshot into the head, or into packs and a manifest, which are in the store when this resolves. */
export async function placeSnapshot(
  context: PublishContext,
  placement: Placement,
  signal: AbortSignal,
): Promise<Placed> {
  const { facts, tree, published, target, writer } = placement;
  const { table } = published;
  // A snapshot that has grown too large meanwhile, or has blobs in packs already, goes into packs as a whole.
  const held = target.inHead && fitsInline(tree) ? writer.takeAll() : undefined;
  if (held) {
    const { record, blobs } = await inlineSnapshot(facts, { tree, table }, held);
    return { record, blobs, published: { tree, table, segments: [] }, uploadedBytes: 0 };
  }
  if (!target.inHead) return await inPacks(context, placement, writer, signal);
  await writer.finish();
  const { usable } = packsTarget(published, placement.head);
  const packs = new PackWriter(context, table, { signal, usable });
  try {
    const placed = await inPacks(context, placement, packs, signal);
    return { ...placed, uploadedBytes: placed.uploadedBytes + writer.uploadedBytes };
  } finally {
    await packs.settle();
  }
}

async function inPacks(
  context: PublishContext,
  { facts, tree, published: before, head }: Placement,
  writer: PackWriter,
  signal: AbortSignal,
): Promise<Placed> {
  packInline(context, { tree, table: before.table }, head.blobs, writer);
  const { record, published, manifestBytes } = await writeSnapshot(
    context,
    facts,
    { tree, before },
    writer,
    signal,
  );
  return { record, published, blobs: {}, uploadedBytes: writer.uploadedBytes + manifestBytes };
}
