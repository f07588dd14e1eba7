import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Tree } from '../../../../../src/bot/state/format/tree.ts';
import { scan } from '../../../../../src/bot/state/local/scan.ts';
import { openRoot, type TreeRoot } from '../../../../../src/bot/state/local/treeRoot.ts';

let dir: string;
let root: TreeRoot;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'scan-'));
  for (const folder of ['a', 'b', 'c']) {
    mkdirSync(join(dir, folder));
    for (const name of ['1', '2', '3']) writeFileSync(join(dir, folder, name), `${folder}${name}`);
  }
  symlinkSync('../a/1', join(dir, 'b', 'link'));
  root = openRoot(dir);
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const options = { restoredAt: 0 };

/** A scan whose files have been read: each is its number. */
function readTree(): Tree {
  const { tree } = scan(root, new Tree(), options);
  for (let i = 0; i < tree.length; i++) {
    if (tree.type(i) === 'file') tree.setContent(i, { blobs: [i], size: tree.size(i), doubtful: false });
  }
  return tree;
}

const statsOf = (tree: Tree) =>
  tree.paths.map((path, i) => ({ path, ...tree.stat(i), target: tree.targets.get(i) }));
const rowsOf = (tree: Tree) =>
  Object.fromEntries(tree.paths.map((path, i) => [path, [...tree.blobs(i)]] as const));

test('what nobody has touched is the tree that it was', () => {
  const before = readTree();
  expect(scan(root, before, options)).toEqual({ tree: before, unread: [], changed: false, skipped: [] });
  expect(scan(root, before, options).tree).toBe(before);
});

test.for<[string, string[], () => void]>([
  ['a file written', ['b/2'], () => writeFileSync(join(dir, 'b/2'), 'other')],
  ['the first file written', ['a/1'], () => writeFileSync(join(dir, 'a/1'), 'other')],
  ['the last file written', ['c/3'], () => writeFileSync(join(dir, 'c/3'), 'other')],
  ['a time set back', ['b/1'], () => utimesSync(join(dir, 'b/1'), 1, 1)],
  ['a file more', ['b/0'], () => writeFileSync(join(dir, 'b/0'), 'new')],
  ['a folder more in front', [], () => mkdirSync(join(dir, '0'))],
  ['the first folder gone', [], () => rmSync(join(dir, 'a'), { recursive: true })],
  ['the last folder gone', [], () => rmSync(join(dir, 'c'), { recursive: true })],
  ['everything gone', [], () => ['a', 'b', 'c'].map((name) => rmSync(join(dir, name), { recursive: true }))],
  ['a folder closed', [], () => chmodSync(join(dir, 'c'), 0o700)],
  [
    'a link that goes elsewhere',
    [],
    () => {
      rmSync(join(dir, 'b/link'));
      symlinkSync('../a/2', join(dir, 'b/link'));
    },
  ],
  [
    'a folder in the place of a file',
    [],
    () => {
      rmSync(join(dir, 'b/2'));
      mkdirSync(join(dir, 'b/2'));
    },
  ],
])(
  '%s: all is found as by a first look, and what has not changed keeps its content',
  ([, unread, change]) => {
    const before = readTree();
    change();
    const found = scan(root, before, options);
    expect(found.changed).toBe(true);
    expect(statsOf(found.tree)).toEqual(statsOf(scan(root, new Tree(), options).tree));
    expect(found.unread.map((index) => found.tree.paths[index])).toEqual(unread);
    const [rows, known] = [rowsOf(found.tree), rowsOf(before)];
    for (const [i, path] of found.tree.paths.entries()) {
      const isKept = found.tree.type(i) === 'file' && !unread.includes(path);
      expect(rows[path], path).toEqual(isKept ? known[path] : []);
    }
  },
);

test('a tree that is made from the one before it again and again holds no more than its own', () => {
  let tree = readTree();
  for (let round = 0; round < 5; round++) {
    writeFileSync(join(dir, 'b/2'), `${round}`);
    utimesSync(join(dir, 'b/2'), round, round);
    const found = scan(root, tree, options);
    tree = found.tree;
    for (const index of found.unread) tree.setContent(index, { blobs: [100], size: 1, doubtful: false });
  }
  let rows = 0;
  tree.renumber((row) => {
    rows += 1;
    return row;
  });
  expect(rows).toBeLessThanOrEqual(10);
});
