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

/** One path in so many ends a run. */
const RUN_ENTRIES = 128;
/** A file with this many blocks is a run of its own. */
const LARGE_BLOCKS = 64;

/**
 * Whether a run ends after this entry. It depends on this entry alone: what is added or removed elsewhere moves no
 * other boundary.
 */
function endsRun(tree: Tree, index: number): boolean {
  if (tree.blobs(index).length >= LARGE_BLOCKS) return true;
  if (index + 1 < tree.length && tree.blobs(index + 1).length >= LARGE_BLOCKS) return true;
  return digest('sha256', tree.paths[index]!, 'buffer').readUInt32LE(0) % RUN_ENTRIES === 0;
}

/** The tree's segments in walk order. Every row must have its place in a pack. */
export function* encodeSegments(tree: Tree, table: BlobTable): Generator<Buffer> {
  let rows = new FrameRows(table);
  let entries: EntryRow[] = [];
  for (let i = 0; i < tree.length; i++) {
    entries.push(encodeEntry(entryAt(tree, i, (row) => rows.blockOf(row))));
    if (i + 1 < tree.length && !endsRun(tree, i)) continue;
    const packs = rows.packs.map((pack) => table.packs[pack]!.hash);
    yield Buffer.from(JSON.stringify({ packs, frames: rows.frames, entries } satisfies Segment));
    rows = new FrameRows(table);
    entries = [];
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
