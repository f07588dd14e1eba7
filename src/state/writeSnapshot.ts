import { hash as digest } from 'node:crypto';
import type { BlobTable } from './blobTable.ts';
import type { StateContext } from './context.ts';
import { keys } from './format.ts';
import type { SnapshotRecord } from './head.ts';
import { encodeManifest, type Manifest } from './manifest.ts';
import type { PackWriter } from './packWriter.ts';
import { liveBytes, type Published } from './published.ts';
import { encodeSegments } from './segments.ts';
import type { Tree } from './tree.ts';

export interface WrittenSnapshot {
  readonly record: SnapshotRecord;
  readonly published: Published;
  /** Bytes of the manifest itself; packs are the writer's to count. */
  readonly manifestBytes: number;
}

/** What a snapshot is known by, before it has a place. */
export type SnapshotFacts = Omit<SnapshotRecord, 'manifest' | 'entries'>;

/** Packs, then segments, then the manifest that names them: nothing refers to what is not in the store yet. */
export async function writeSnapshot(
  context: StateContext,
  facts: SnapshotFacts,
  content: { readonly tree: Tree; readonly table: BlobTable },
  writer: PackWriter,
  signal: AbortSignal,
): Promise<WrittenSnapshot> {
  const { tree, table } = content;
  await writer.finish();
  const segments: number[] = [];
  const lengths: number[] = [];
  for (const bytes of encodeSegments(tree, table)) {
    segments.push(writer.add(digest('sha256', bytes, 'buffer'), bytes));
    lengths.push(bytes.length);
    await writer.ready();
  }
  await writer.finish();

  const published: Published = { tree, table, segments };
  const live = liveBytes(published);
  const numbers = new Map<number, number>();
  for (const [number, bytes] of live.entries()) if (bytes > 0) numbers.set(number, numbers.size);
  const manifest: Manifest = {
    format: 1,
    bot: context.bot,
    ...facts,
    packs: [...numbers.keys()].map((number) => [
      table.packs[number]!.hash,
      table.packs[number]!.size,
      live[number]!,
    ]),
    segments: segments.map((row, i) => [
      table.hash(row).toString('hex'),
      numbers.get(table.pack(row)!)!,
      table.offset(row),
      table.stored(row),
      lengths[i]!,
    ]),
  };
  const { name, sha256, body } = await encodeManifest(manifest);
  await context.store.put(keys.manifest(context.bot, name), body, { sha256, signal });
  return { record: { ...facts, manifest: name }, published, manifestBytes: body.length };
}
