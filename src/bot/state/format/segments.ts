import { hash as digest } from 'node:crypto';
import { RuntimeError } from '../../../base/errors.ts';
import type { BlobTable, Frame } from './blobTable.ts';
import { decodeEntry, type Entry, type EntryRow, encodeEntry } from './entryRow.ts';
import { BLOCK_BYTES, isHash } from './format.ts';
import { decodeFrame, type FrameRow } from './frameRow.ts';
import { FrameRows } from './frameRows.ts';
import type { Tree } from './tree.ts';
import { entryAt } from './treeEntries.ts';

/** A run of entries, encoded on its own, so that a change rewrites only the run that it lies in. */
export interface Segment {
  readonly packs: readonly string[];
  readonly frames: readonly FrameRow[];
  readonly entries: readonly EntryRow[];
}

/** A segment that has its place. */
export interface PlacedSegment {
  /** Of the blob table. */
  readonly row: number;
  /** The tree's entry after its last one. */
  readonly end: number;
}

/** One path in so many ends a run. */
const RUN_ENTRIES = 128;
/** A file with this many blocks is a run of its own. */
const LARGE_BLOCKS = 64;

/**
 * Whether a run ends after this entry. It depends on this entry alone: what is added or removed elsewhere moves no
 * other boundary.
 */
export function endsRun(tree: Tree, index: number): boolean {
  if (tree.blobs(index).length >= LARGE_BLOCKS) return true;
  if (index + 1 < tree.length && tree.blobs(index + 1).length >= LARGE_BLOCKS) return true;
  return digest('sha256', tree.paths[index]!, 'buffer').readUInt32LE(0) % RUN_ENTRIES === 0;
}

/** The tree's segments in walk order: as `keptAt` gives them for the first entry of a run, the others encoded. Every row must have its place in a pack. */
export function* encodeSegments(
  tree: Tree,
  table: BlobTable,
  keptAt: (first: number) => PlacedSegment | undefined = () => undefined,
): Generator<PlacedSegment | { readonly bytes: Buffer; readonly end: number }> {
  for (let i = 0; i < tree.length; ) {
    const kept = keptAt(i);
    if (kept) {
      yield kept;
      i = kept.end;
      continue;
    }
    const rows = new FrameRows(table);
    const entries: EntryRow[] = [];
    do {
      entries.push(encodeEntry(entryAt(tree, i, (row) => rows.blockOf(row))));
      i += 1;
    } while (i < tree.length && !endsRun(tree, i - 1));
    const packs = rows.packs.map((pack) => table.packs[pack]!.hash);
    const segment: Segment = { packs, frames: rows.frames, entries };
    yield { bytes: Buffer.from(JSON.stringify(segment)), end: i };
  }
}

/** Throws `damaged` for what is not a segment. */
export function parseSegment(bytes: Buffer): {
  readonly packs: readonly string[];
  readonly frames: readonly Frame[];
  readonly entries: readonly Entry[];
} {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw notASegment(cause);
  }
  const { packs, frames, entries } = (value ?? {}) as Record<keyof Segment, unknown>;
  if (!Array.isArray(packs) || !Array.isArray(frames) || !Array.isArray(entries)) throw notASegment();
  if (!packs.every((pack) => typeof pack === 'string' && isHash(pack))) throw notASegment();
  return {
    packs,
    frames: frames.map((row) => decodeFrame(row, packs.length, BLOCK_BYTES)),
    entries: entries.map((row) => decodeEntry(row, frames.length)),
  };
}

function notASegment(cause?: unknown): RuntimeError {
  return new RuntimeError('damaged', 'a blob that should be a segment is not one', {
    op: 'state.read',
    cause,
  });
}
