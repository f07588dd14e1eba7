import { statfsSync } from 'node:fs';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { isRuntimeError } from '../../../base/errors.ts';
import { type EntryPath, toSystemPath } from '../format/entryPath.ts';
import { BLOCK_BYTES } from '../format/format.ts';
import type { Tree } from '../format/tree.ts';
import { readBlocks } from '../local/readBlocks.ts';
import type { TreeRoot } from '../local/treeRoot.ts';
import type { Published } from './published.ts';

/*
 * A write through a shared memory mapping stamps its file when it makes a clean page dirty, and not again until the kernel has written
 * that page back, some 30 s later. In a file system in memory nothing is ever written back, and such a write may stamp nothing at all.
 * Python's `shelve` on gdbm, `numpy.memmap` and LMDB write so.
 */

/** How long after its last stamp a file may go on changing without another one, milliseconds: the kernel's 30 s, and as much again. */
const UNSTAMPED_MS = 60_000;
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */]);

/** The events have their turn after so many bytes; a file counts as so many at least. */
const TURN_BYTES = 8 * BLOCK_BYTES;
const FILE_BYTES = 64 * 1024;

/** ctimes of files, by path. */
export type Suspects = ReadonlyMap<EntryPath, number>;

export interface SuspectOptions {
  /** A file that nobody has touched since then (µs) is as the restore wrote it: its first write would have stamped it. */
  readonly restoredAt: number;
  /** When files were last looked at in this way, milliseconds. */
  readonly lookedAt: number;
}

/** The files that may have changed since they were read, whatever their stamps say. */
export function suspects(root: TreeRoot, tree: Tree, { restoredAt, lookedAt }: SuspectOptions): Suspects {
  const found = new Map<EntryPath, number>();
  const isInMemory = liesInMemory(root);
  const since = Math.max(restoredAt, (lookedAt - UNSTAMPED_MS) * 1000);
  for (let i = 0; i < tree.length; i++) {
    if (tree.type(i) !== 'file' || tree.size(i) === 0) continue;
    if (isInMemory || tree.ctime(i) > since) found.set(tree.paths[i]!, tree.ctime(i));
  }
  return found;
}

function liesInMemory(root: TreeRoot): boolean {
  try {
    return IN_MEMORY.has(statfsSync(toSystemPath(root.path)).type);
  } catch {
    // The scan says what is wrong with the root.
    return false;
  }
}

/** Which of the suspects hold something else than when they were read. Those with a newer stamp have been read since. */
export async function findUnstamped(
  root: TreeRoot,
  published: Published,
  suspects: Suspects,
  signal: AbortSignal,
): Promise<number[]> {
  const { tree } = published;
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  const found: number[] = [];
  let bytes = 0;
  const readSome = async (more: number) => {
    bytes += more;
    if (bytes < TURN_BYTES) return;
    bytes = 0;
    await yieldToEvents();
    signal.throwIfAborted();
  };
  for (let i = 0; i < tree.length; i++) {
    const ctime = suspects.get(tree.paths[i]!);
    // NaN: it was restored, and only the look since then has learnt its stamps.
    if (ctime === undefined || (ctime !== tree.ctime(i) && !Number.isNaN(ctime))) continue;
    await readSome(FILE_BYTES);
    const file = compare(root, published, i, buffer);
    for (let step = file.next(); ; step = file.next()) {
      if (step.done && step.value === 'other') found.push(i);
      if (step.done) break;
      await readSome(BLOCK_BYTES);
    }
  }
  return found;
}

/** Reads a file against what it held when it was read last. Yields after each block. */
function* compare(
  root: TreeRoot,
  { tree, table }: Published,
  index: number,
  buffer: Buffer,
): Generator<unknown, 'same' | 'other'> {
  const hashes: Buffer[] = [];
  const sink = { add: (hash: Buffer) => hashes.push(hash) - 1 };
  const known = tree.blobs(index);
  const isKnown = (row: number, at: number) => {
    if (row < 0 || known[at]! < 0) return row === known[at];
    return table.hash(known[at]!).equals(hashes[row]!);
  };
  try {
    const content = yield* readBlocks(root, tree.paths[index]!, tree.size(index), buffer, sink);
    if (!content) return 'same';
    return content.blobs.length === known.length && content.blobs.every(isKnown) ? 'same' : 'other';
  } catch (error) {
    // Closed to us: what was saved of it stands.
    if (isRuntimeError(error, 'unsaved')) return 'same';
    throw error;
  }
}
