import { isRuntimeError, RuntimeError } from '../errors.ts';
import { getBytes } from '../store/readAll.ts';
import { BlobTable } from './blobTable.ts';
import { checkTree } from './checkTree.ts';
import type { StateContext } from './context.ts';
import { decodeEntry } from './entryRow.ts';
import { fetchBlobs, type PlacedBlob } from './fetchBlobs.ts';
import { keys, MANIFEST_LIMIT_BYTES } from './format.ts';
import type { SnapshotRecord } from './head.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { parseSegment } from './segments.ts';
import { Tree } from './tree.ts';
import { addEntry } from './treeEntries.ts';

export interface LoadedSnapshot {
  readonly record: SnapshotRecord;
  readonly tree: Tree;
  readonly table: BlobTable;
  /** Absent for a snapshot inside the head. */
  readonly manifest: Manifest | undefined;
  /** Rows of its segments. */
  readonly segments: readonly number[];
}

/** A snapshot's entries. Throws `damaged`, also when an object is missing. */
export async function loadSnapshot(
  context: StateContext,
  record: SnapshotRecord,
  signal: AbortSignal,
): Promise<LoadedSnapshot> {
  const tree = new Tree();
  const table = new BlobTable();
  if (record.manifest === undefined) {
    for (const row of record.entries ?? []) addEntry(tree, table, decodeEntry(row, 0), []);
    checkTree(tree);
    return { record, tree, table, manifest: undefined, segments: [] };
  }
  try {
    const manifest = await readManifest(context, record.manifest, signal);
    const segments = await loadSegments(context, manifest, tree, table, signal);
    checkTree(tree);
    return { record, tree, table, manifest, segments };
  } catch (error) {
    throw asDamage(error);
  }
}

export async function readManifest(
  context: StateContext,
  name: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const key = keys.manifest(context.bot, name);
  const { bytes } = await getBytes(context.store, key, { maxBytes: MANIFEST_LIMIT_BYTES, signal });
  return parseManifest(name, bytes, context.bot);
}

/** What a snapshot needs and the store does not have is damage to that snapshot. */
export function asDamage(error: unknown): unknown {
  if (!isRuntimeError(error, 'not-found')) return error;
  const { path } = error;
  return new RuntimeError('damaged', `${path ?? 'an object'} is missing`, {
    op: 'state.read',
    ...(path === undefined ? {} : { path }),
    cause: error,
  });
}

async function loadSegments(
  context: StateContext,
  manifest: Manifest,
  tree: Tree,
  table: BlobTable,
  signal: AbortSignal,
): Promise<number[]> {
  const packs = manifest.packs.map(([hash, size]) => ({ hash, size }));
  const numbers = new Map(packs.map((pack) => [pack.hash, table.addPack(pack)]));
  const blobs = manifest.segments.map(([hash, pack, offset, stored, size], position) => {
    if (size > MANIFEST_LIMIT_BYTES)
      throw new RuntimeError('damaged', 'a segment is too long', { op: 'state.read' });
    const blob: PlacedBlob = { hash: Buffer.from(hash, 'hex'), pack: packs[pack]!, offset, stored, size };
    return { ...blob, position };
  });
  const parsed: ReturnType<typeof parseSegment>[] = new Array(blobs.length);
  await fetchBlobs(
    context,
    blobs,
    (blob, bytes) => {
      parsed[blob.position] = parseSegment(bytes);
    },
    { signal },
  );
  for (const segment of parsed) {
    const local = segment.packs.map((hash) => {
      const number = numbers.get(hash);
      if (number !== undefined) return number;
      throw new RuntimeError('damaged', 'a segment names a pack that its manifest does not', {
        op: 'state.read',
      });
    });
    for (const entry of segment.entries) addEntry(tree, table, entry, local);
  }
  return blobs.map((blob) => {
    const row = table.find(blob.hash) ?? table.add(blob.hash);
    if (table.pack(row) === undefined)
      table.place(row, numbers.get(blob.pack.hash)!, blob.offset, blob.stored);
    return row;
  });
}
