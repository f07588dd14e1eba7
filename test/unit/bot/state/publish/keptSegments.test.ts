import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlobTable } from '../../../../../src/bot/state/format/blobTable.ts';
import { pathOfBytes } from '../../../../../src/bot/state/format/entryPath.ts';
import { encodeSegments } from '../../../../../src/bot/state/format/segments.ts';
import { Tree } from '../../../../../src/bot/state/format/tree.ts';
import { keptSegments } from '../../../../../src/bot/state/publish/keptSegments.ts';
import type { Published } from '../../../../../src/bot/state/publish/published.ts';

interface File {
  readonly path: string;
  readonly mtime?: number;
  readonly content?: string;
  readonly mode?: number;
  /** Blocks. */
  readonly length?: number;
}

const files: File[] = Array.from({ length: 3000 }, (_, i) => ({ path: `f${String(i).padStart(4, '0')}` }));
const table = new BlobTable();
const pack = table.addPack({ hash: 'a'.repeat(64), size: 1e9 });

function placed(content: string): number {
  const digest = hash('sha256', content, 'buffer');
  const row = table.find(digest) ?? table.add(digest, 5);
  if (!table.frame(row)) table.place(row, table.addFrame({ pack, offset: row * 5, stored: 5, size: 5 }), 0);
  return row;
}

function treeOf(all: readonly File[]): Tree {
  const tree = new Tree();
  for (const { path, mtime = 0, content = path, mode = 0o644, length = 1 } of all) {
    const stat = { type: 'file', mode, mtime, size: length, ctime: Number.NaN, inode: 0 } as const;
    const index = tree.add(pathOfBytes(path), stat);
    tree.setContent(index, { blobs: Array(length).fill(placed(content)), size: length, doubtful: false });
  }
  return tree;
}

/** What was published of a tree, and the bytes of each of its segments. */
function published(tree: Tree): { before: Published; bytesOf: Map<number, string> } {
  const bytesOf = new Map<number, string>();
  const segments = [...encodeSegments(tree, table)].map((segment) => {
    if ('row' in segment) throw new Error('nothing is kept here');
    const text = `${segment.bytes}`;
    const row = placed(text);
    bytesOf.set(row, text);
    return { row, end: segment.end };
  });
  return { before: { tree, table, segments }, bytesOf };
}

const textOf = (segment: { readonly bytes: Buffer } | object) =>
  'bytes' in segment ? `${segment.bytes}` : undefined;
const withFile = (index: number, change: Partial<File>) =>
  files.map((file, i) => (i === index ? { ...file, ...change } : file));
const large = withFile(1500, { length: 64 });

test.for<[string, readonly File[], readonly File[], number]>([
  ['the same', files, files, 0],
  ['a time', files, withFile(1234, { mtime: 5 }), 1],
  ['a mode', files, withFile(0, { mode: 0o600 }), 1],
  ['a content', files, withFile(2999, { content: 'other' }), 1],
  ['a file more in front', files, [{ path: 'a' }, ...files], 1],
  ['a file more at the end', files, [...files, { path: 'g' }], 1],
  ['the last file gone', files, files.slice(0, -1), 1],
  ['the first hundred gone', files, files.slice(100), 1],
  ['a file that has become a run of its own', files, large, 3],
  ['a file that is no longer one', large, files, 1],
])('%s: the segments are those of an encoding of all', ([, from, to, encoded]) => {
  const { before, bytesOf } = published(treeOf(from));
  const tree = treeOf(to);
  const segments = [
    ...encodeSegments(
      tree,
      table,
      keptSegments(tree, before, () => true),
    ),
  ];
  const texts = segments.map((segment) => ('row' in segment ? bytesOf.get(segment.row) : `${segment.bytes}`));
  expect(texts).toEqual([...encodeSegments(tree, table)].map(textOf));
  expect(segments.at(-1)?.end).toBe(tree.length);
  expect(segments.filter((segment) => 'bytes' in segment).length).toBeLessThanOrEqual(encoded);
});

test('a segment whose pack is given up is encoded again', () => {
  const { before } = published(treeOf(files));
  const lost = before.segments[3]!.row;
  const segments = [
    ...encodeSegments(
      before.tree,
      table,
      keptSegments(before.tree, before, (row) => row !== lost),
    ),
  ];
  expect(segments.flatMap((segment, i) => ('bytes' in segment ? [i] : []))).toEqual([3]);
});
