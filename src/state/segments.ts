import { hash as digest } from 'node:crypto';
import { RuntimeError } from '../errors.ts';
import type { BlobTable } from './blobTable.ts';
import { decodeEntry, type Entry, type EntryRow, encodeEntry } from './entryRow.ts';
import { isHash } from './format.ts';
import type { Tree } from './tree.ts';
import { entryAt } from './treeEntries.ts';

/** A run of entries, encoded on its own, so that a change rewrites only the run that it lies in. */
export interface Segment {
  readonly packs: readonly string[];
  readonly entries: readonly EntryRow[];
}

/** One path in so many ends a run. */
const RUN_ENTRIES = 128;
/** A file with this many blocks is a run of its own. */
const LARGE_BLOCKS = 64;

/**
 * Whether a run ends behind this entry. It depends on this entry alone: what is added or removed elsewhere moves no
 * other boundary.
 */
function endsRun(tree: Tree, index: number): boolean {
  if (tree.blobs(index).length >= LARGE_BLOCKS) return true;
  if (index + 1 < tree.length && tree.blobs(index + 1).length >= LARGE_BLOCKS) return true;
  return digest('sha256', tree.paths[index]!, 'buffer').readUInt32LE(0) % RUN_ENTRIES === 0;
}

/** The tree's segments in walk order. Every row must have its place in a pack. */
export function* encodeSegments(tree: Tree, table: BlobTable): Generator<Buffer> {
  let packs = new Map<string, number>();
  let entries: EntryRow[] = [];
  const blockOf = (row: number) => {
    const pack = table.packs[table.pack(row)!]!.hash;
    const number = packs.get(pack) ?? packs.size;
    packs.set(pack, number);
    return [table.hash(row).toString('hex'), number, table.offset(row), table.stored(row)] as const;
  };
  for (let i = 0; i < tree.length; i++) {
    entries.push(encodeEntry(entryAt(tree, i, blockOf)));
    if (i + 1 < tree.length && !endsRun(tree, i)) continue;
    yield Buffer.from(JSON.stringify({ packs: [...packs.keys()], entries } satisfies Segment));
    packs = new Map();
    entries = [];
  }
}

/** Throws `damaged` for what is no segment. */
export function parseSegment(bytes: Buffer): {
  readonly packs: readonly string[];
  readonly entries: Entry[];
} {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw notASegment(cause);
  }
  const { packs, entries } = (value ?? {}) as { packs?: unknown; entries?: unknown };
  if (!Array.isArray(packs) || !Array.isArray(entries)) throw notASegment();
  if (!packs.every((pack) => typeof pack === 'string' && isHash(pack))) throw notASegment();
  return { packs, entries: entries.map((row) => decodeEntry(row, packs.length)) };
}

function notASegment(cause?: unknown): RuntimeError {
  return new RuntimeError('damaged', 'a blob that should be a segment is none', { op: 'state.read', cause });
}
