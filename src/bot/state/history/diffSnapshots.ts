import type { BlobTable } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import { comparePaths, pathToText } from '../format/entryPath.ts';
import type { Tree } from '../format/tree.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { findSnapshot, requireHead } from '../read/snapshots.ts';
import { type ShownEntry, shownEntry } from './showSnapshot.ts';

export interface Difference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What is not the same, for `changed`. */
  readonly what: readonly ('type' | 'content' | 'mode' | 'time' | 'target')[];
  readonly before: ShownEntry | undefined;
  readonly after: ShownEntry | undefined;
}

interface Side {
  readonly tree: Tree;
  readonly table: BlobTable;
}

/** What has to happen to snapshot `from` to become snapshot `to` (undefined: the newest). */
export async function diffSnapshots(
  context: StateContext,
  { from, to }: { readonly from: number; readonly to: number | undefined },
  signal: AbortSignal,
): Promise<readonly Difference[]> {
  const head = await requireHead(context, signal);
  const records = [findSnapshot(head, from), findSnapshot(head, to)] as const;
  const before = await loadSnapshot(context, records[0], signal);
  const after = await loadSnapshot(context, records[1], signal);
  return [...differences(before, after)];
}

function* differences(before: Side, after: Side): Generator<Difference> {
  let i = 0;
  let j = 0;
  while (i < before.tree.length || j < after.tree.length) {
    const a = before.tree.paths[i];
    const b = after.tree.paths[j];
    const order = a === undefined ? 1 : b === undefined ? -1 : comparePaths(a, b);
    const path = pathToText((order <= 0 ? a : b)!);
    const old = order <= 0 ? shownEntry(before.tree, i) : undefined;
    const now = order >= 0 ? shownEntry(after.tree, j) : undefined;
    if (!old) yield { path, change: 'added', what: [], before: undefined, after: now };
    else if (!now) yield { path, change: 'removed', what: [], before: old, after: undefined };
    else {
      const what = whatDiffers(before, i, after, j);
      if (what.length > 0) yield { path, change: 'changed', what, before: old, after: now };
    }
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
}

function whatDiffers(a: Side, i: number, b: Side, j: number): Difference['what'] {
  if (a.tree.type(i) !== b.tree.type(j)) return ['type'];
  const what: Difference['what'][number][] = [];
  if (a.tree.size(i) !== b.tree.size(j) || contentOf(a, i) !== contentOf(b, j)) what.push('content');
  if (a.tree.targets.get(i) !== b.tree.targets.get(j)) what.push('target');
  if (a.tree.mode(i) !== b.tree.mode(j) && a.tree.type(i) !== 'link') what.push('mode');
  if (a.tree.mtime(i) !== b.tree.mtime(j)) what.push('time');
  return what;
}

function contentOf({ tree, table }: Side, index: number): string {
  return Array.from(tree.blobs(index), (row) => (row < 0 ? row : table.hash(row).toString('hex'))).join();
}
