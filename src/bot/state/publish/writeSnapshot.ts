import { hash as digest } from 'node:crypto';
import { keys } from '../format/format.ts';
import { FrameRows } from '../format/frameRows.ts';
import type { SnapshotRecord } from '../format/head.ts';
import { encodeManifest, type Manifest } from '../format/manifest.ts';
import { encodeSegments, type PlacedSegment } from '../format/segments.ts';
import type { Tree } from '../format/tree.ts';
import { keptSegments } from './keptSegments.ts';
import type { PackWriter } from './packWriter.ts';
import { liveBytes, type Published } from './published.ts';
import type { PublishContext } from './uploads.ts';

export interface WrittenSnapshot {
  readonly record: SnapshotRecord;
  readonly published: Published;
  /** Bytes of the manifest itself; packs are the writer's to count. */
  readonly manifestBytes: number;
}

/** What a snapshot is known by, before it has a place. */
export type SnapshotFacts = Omit<SnapshotRecord, 'manifest' | 'entries'>;

/**
 * Packs and segments, then the manifest that names them: it names nothing that is not in the store yet. `before`: a snapshot in the store,
 * whose table the tree's rows belong to.
 */
export async function writeSnapshot(
  context: PublishContext,
  facts: SnapshotFacts,
  { tree, before }: { readonly tree: Tree; readonly before: Published },
  writer: PackWriter,
  signal: AbortSignal,
): Promise<WrittenSnapshot> {
  const { table } = before;
  await writer.placeAll();
  const segments: PlacedSegment[] = [];
  for (const segment of encodeSegments(tree, table, keptSegments(tree, before, writer.usable))) {
    if ('row' in segment) {
      segments.push(segment);
      continue;
    }
    const { bytes, end } = segment;
    segments.push({ row: writer.add(digest('sha256', bytes, 'buffer'), bytes), end });
    await writer.ready();
  }
  await writer.finish();

  const published: Published = { tree, table, segments };
  const live = liveBytes(published);
  const rows = new FrameRows(table);
  for (const [pack, bytes] of live.entries()) if (bytes > 0) rows.packOf(pack);
  const segmentRows = segments.map(({ row }) => [...rows.blockOf(row), table.size(row)] as const);
  const manifest: Manifest = {
    format: 1,
    bot: context.bot,
    ...facts,
    packs: rows.packs.map((pack) => [table.packs[pack]!.hash, table.packs[pack]!.size, live[pack]!]),
    frames: rows.frames,
    segments: segmentRows,
  };
  const { name, sha256, body } = await encodeManifest(manifest);
  await context.uploads.put(keys.manifest(context.bot, name), body, sha256, signal);
  return { record: { ...facts, manifest: name }, published, manifestBytes: body.length };
}
