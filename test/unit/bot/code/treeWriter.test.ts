import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TreeWriter } from '../../../../src/bot/code/treeWriter.ts';
import { workspace } from './workspace.ts';

test('a file that declares too much is not even begun', () => {
  const directory = workspace();
  const tree = new TreeWriter(directory, undefined, { maxBytes: 10, maxEntries: 10 });
  for (const size of [11, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => tree.openFile('a', size, { executable: false })).toThrow(/unpacks to more than 10 bytes/);
  }
  expect(readdirSync(directory)).toEqual([]);
});

test('a file counts by what is written, whatever it declares', () => {
  const tree = new TreeWriter(workspace(), undefined, { maxBytes: 10, maxEntries: 10 });
  const file = tree.openFile('a', 1, { executable: false });
  file.write(Buffer.alloc(10));
  expect(() => file.write(Buffer.alloc(1))).toThrow(/unpacks to more than 10 bytes/);
  file.close();
});
