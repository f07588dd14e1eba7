import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { getBytes } from '../../../store/readAll.ts';
import { BlobTable, type Frame } from '../format/blobTable.ts';
import { checkTree } from '../format/checkTree.ts';
import type { StateContext } from '../format/context.ts';
import { decodeEntry } from '../format/entryRow.ts';
import { keys, MANIFEST_LIMIT_BYTES } from '../format/format.ts';
import { decodeFrame, placeBlob } from '../format/frameRow.ts';
import type { SnapshotRecord } from '../format/head.ts';
import { type Manifest, parseManifest } from '../format/manifest.ts';
import { type PlacedSegment, parseSegment } from '../format/segments.ts';
import { Tree } from '../format/tree.ts';
import { addEntry } from '../format/treeEntries.ts';
import { fetchBlobs } from './fetchBlobs.ts';

/*
 * The room of reading: from the head to the blobs, by any number of readers.
 *
 *  1. `readHead` returns the head, or that there is none, or throws. `findHead` also tells a new bot from one whose head is gone.
 *  2. `loadSnapshot` reads the manifest and then its segments into a `Tree` with a `BlobTable`.
 *  3. `fetchBlobs` reads blobs by ranges of packs, several at once, and checks each by its hash. `inlineBlob` reads those in the head.
 *  4. `readContents` yields all bytes of all files in order; `exportTar` makes an archive of them.
 *
 * An object that a snapshot needs and that is missing or has other bytes is `damaged`: the snapshot is, not the store. Whoever would go on
 * with less for it looks again first (`lookAgain`).
 */

export interface LoadedSnapshot {
  readonly record: SnapshotRecord;
  readonly tree: Tree;
  readonly table: BlobTable;
  /** Absent for a snapshot inside the head. */
  readonly manifest: Manifest | undefined;
  /** Of its manifest, in walk order; none where it is in the head. */
  readonly segments: readonly PlacedSegment[];
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
    // A blob without a place is damage, not an empty file.
    if (!record.entries) throw damaged(`snapshot ${record.sequence} has neither manifest nor entries`);
    for (const row of record.entries) addEntry(tree, table, decodeEntry(row, 0), []);
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
): Promise<PlacedSegment[]> {
  const packs = manifest.packs.map(([hash, size]) => table.addPack({ hash, size }));
  const byHash = new Map(manifest.packs.map(([hash], i) => [hash, packs[i]!]));
  const addFrames = frameAdder(table);
  const ownFrames = addFrames(
    manifest.frames.map((row) => decodeFrame(row, packs.length, MANIFEST_LIMIT_BYTES)),
    packs,
  );
  const rows = manifest.segments.map(([hash, frame, position, size]) =>
    placeBlob(table, { hash: Buffer.from(hash, 'hex'), size }, ownFrames[frame]!, position),
  );
  const parsed = new Map<number, ReturnType<typeof parseSegment>>();
  const receive = (row: number, bytes: Buffer) => void parsed.set(row, parseSegment(bytes));
  await fetchBlobs(context, table, rows, receive, { signal });
  return rows.map((row) => {
    const segment = parsed.get(row);
    if (!segment) throw damaged('a segment is named twice');
    const numbers = segment.packs.map((hash) => {
      const number = byHash.get(hash);
      if (number === undefined) throw damaged('a segment names a pack that its manifest does not');
      return number;
    });
    const frames = addFrames(segment.frames, numbers);
    for (const entry of segment.entries) addEntry(tree, table, entry, frames);
    parsed.delete(row);
    return { row, end: tree.length };
  });
}

/** Adds frames whose packs have these `numbers` in the table; one that segments share is added once. */
function frameAdder(table: BlobTable): (frames: readonly Frame[], numbers: readonly number[]) => number[] {
  const known = new Map<string, number>();
  return (frames, numbers) =>
    frames.map((frame) => {
      const pack = numbers[frame.pack]!;
      const key = `${pack} ${frame.offset} ${frame.stored} ${frame.size}`;
      const number = known.get(key) ?? table.addFrame({ ...frame, pack });
      known.set(key, number);
      return number;
    });
}

function damaged(why: string): RuntimeError {
  return new RuntimeError('damaged', why, { op: 'state.read' });
}
