import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlobTable } from '../../../../../src/bot/state/format/blobTable.ts';
import { pathOfBytes } from '../../../../../src/bot/state/format/entryPath.ts';
import { encodeSegments, parseSegment } from '../../../../../src/bot/state/format/segments.ts';
import { Tree } from '../../../../../src/bot/state/format/tree.ts';

function treeOf(paths: readonly string[], mtimeOf = (_path: string) => 0) {
  const tree = new Tree();
  const table = new BlobTable();
  const pack = table.addPack({ hash: hash('sha256', 'pack'), size: 1e9 });
  for (const path of paths) {
    const index = tree.add(pathOfBytes(path), {
      type: 'file',
      mode: 0o644,
      mtime: mtimeOf(path),
      size: 5,
      ctime: 0,
      inode: 0,
    });
    const row = table.add(hash('sha256', path, 'buffer'), 5);
    table.place(row, table.addFrame({ pack, offset: index * 5, stored: 5, size: 5 }), 0);
    tree.setContent(index, { blobs: [row], size: 5, doubtful: false });
  }
  return { tree, table };
}

const paths = Array.from({ length: 5000 }, (_, i) => `file-${String(i).padStart(5, '0')}`);
const segmentsOf = ({ tree, table }: ReturnType<typeof treeOf>) =>
  [...encodeSegments(tree, table)].map((segment) => ('bytes' in segment ? `${segment.bytes}` : ''));

test('segments hold all entries in order', () => {
  const parsed = segmentsOf(treeOf(paths)).map((text) => parseSegment(Buffer.from(text)));
  expect(parsed.flatMap(({ entries }) => entries.map(({ path }) => path))).toEqual(paths);
  expect(parsed.length).toBeGreaterThan(15);
  expect(parsed.length).toBeLessThan(100);
});

test('a changed entry changes one segment, and so does an added one', () => {
  const before = new Set(segmentsOf(treeOf(paths)));
  const changed = segmentsOf(treeOf(paths, (path) => (path === 'file-02500' ? 1 : 0)));
  expect(changed.filter((segment) => !before.has(segment))).toHaveLength(1);
});

test('an entry added in front moves no boundary', () => {
  const shifted = treeOf(paths);
  const more = new Tree();
  more.add(pathOfBytes('added'), { type: 'folder', mode: 0o755, mtime: 0, size: 0, ctime: 0, inode: 0 });
  for (let i = 0; i < shifted.tree.length; i++) shifted.tree.copyTo(more, i);
  const before = new Set(segmentsOf(treeOf(paths)));
  const after = segmentsOf({ tree: more, table: shifted.table });
  expect(after.filter((segment) => !before.has(segment))).toHaveLength(1);
});
