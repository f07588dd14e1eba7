import { comparePaths } from '../format/entryPath.ts';
import { endsRun, type PlacedSegment } from '../format/segments.ts';
import type { Tree } from '../format/tree.ts';
import type { Published } from './published.ts';

/**
 * The segments of the last snapshot that stand in the next one as they are: all of their entries are the same. Encoding ten thousand
 * entries would find the same out, for ten times as much. The function is asked for ascending entries of `tree`, each the first of a run,
 * and returns the segment that stands for the run. `usable`: whether a snapshot can refer to this row as it is.
 */
export function keptSegments(
  tree: Tree,
  { tree: before, segments }: Published,
  usable: (row: number) => boolean,
): (first: number) => PlacedSegment | undefined {
  let next = 0;
  const startOf = (segment: number) => segments[segment - 1]?.end ?? 0;
  return (first) => {
    const path = tree.paths[first]!;
    while (next < segments.length && comparePaths(before.paths[startOf(next)]!, path) < 0) next += 1;
    const kept = segments[next];
    if (!kept || !usable(kept.row)) return undefined;
    const start = startOf(next);
    const end = first + kept.end - start;
    for (let i = first; i < end; i++) if (!tree.isSameEntry(i, before, start + i - first)) return undefined;
    // It ended where the tree did, or before a large file, and the tree goes on otherwise now.
    if (end < tree.length && !endsRun(tree, end - 1)) return undefined;
    return { row: kept.row, end };
  };
}
