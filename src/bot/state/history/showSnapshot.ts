import type { StateContext } from '../format/context.ts';
import { pathToText } from '../format/entryPath.ts';
import type { SnapshotRecord } from '../format/head.ts';
import type { EntryType, Tree } from '../format/tree.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { findSnapshot, requireHead } from '../read/snapshots.ts';

export interface ShownEntry {
  readonly path: string;
  readonly type: EntryType;
  /** Octal, as `ls` and `chmod` have it: `644`. */
  readonly mode: string;
  readonly size: number;
  /** RFC 3339, UTC. */
  readonly modifiedAt: string;
  readonly target: string | undefined;
}

export interface ShownSnapshot extends Omit<SnapshotRecord, 'entries' | 'manifest'> {
  readonly entries: readonly ShownEntry[];
}

/** A snapshot's entries, in walk order. `sequence` undefined: the newest. */
export async function showSnapshot(
  context: StateContext,
  sequence: number | undefined,
  signal: AbortSignal,
): Promise<ShownSnapshot> {
  const head = await requireHead(context, signal);
  const record = findSnapshot(head, sequence);
  const { tree } = await loadSnapshot(context, record, signal);
  const { entries: _, manifest: __, ...facts } = record;
  return { ...facts, entries: tree.paths.map((__, index) => shownEntry(tree, index)) };
}

export function shownEntry(tree: Tree, index: number): ShownEntry {
  const target = tree.targets.get(index);
  return {
    path: pathToText(tree.paths[index]!),
    type: tree.type(index),
    mode: tree.mode(index).toString(8).padStart(3, '0'),
    size: tree.size(index),
    modifiedAt: new Date(tree.mtime(index) / 1000).toISOString(),
    target: target === undefined ? undefined : pathToText(target),
  };
}
