import { expect, test } from 'vitest';
import { bufferSource } from '../../../../src/bot/code/archiveSource.ts';
import { zipDirectory } from '../../../../src/bot/code/zipDirectory.ts';
import { zip } from '../../../support/files/archives.ts';

/** The directory of a zip of so many files, whose end says that there are `count`. */
function directoryOf(files: number, count: number) {
  const items = Array.from({ length: files }, (_, i) => ({ name: `f${i}`, method: 0 }));
  const source = bufferSource(zip(items, { count }));
  return (maxEntries: number) => zipDirectory(source, maxEntries).entries;
}

test('all entries are read where two bytes hold their number, and no more than are allowed', () => {
  const read = directoryOf(65_541, 5);
  const entries = read(65_541);
  expect([entries.length, entries.at(-1)?.name]).toEqual([65_541, 'f65540']);
  expect(() => read(65_540)).toThrow(/more than 65540 entries/);
});

test('where these hold nothing of it as well', () => {
  expect(directoryOf(65_536, 0)(250_000)).toHaveLength(65_536);
});

test.each([0, 1, 3])(
  'two entries of which the end says that they are %i are refused, and none is left out',
  (count) => {
    expect(() => directoryOf(2, count)(250_000)).toThrow(expect.objectContaining({ code: 'damaged' }));
    expect(directoryOf(2, 2)(250_000)).toHaveLength(2);
  },
);
