import { expect, test } from 'vitest';
import { BlobTable } from '../../../../../src/bot/state/format/blobTable.ts';
import { joinRanges, planRanges } from '../../../../../src/bot/state/read/fetchBlobs.ts';

const MiB = 1024 * 1024;

/** One blob for each frame, all of them wanted. */
function planned(frames: readonly (readonly [pack: number, offset: number, stored: number])[]) {
  const table = new BlobTable();
  for (const hash of ['a', 'b']) table.addPack({ hash, size: 9 * MiB });
  const rows = frames.map(([pack, offset, stored], i) => {
    const row = table.add(Buffer.alloc(32, i), stored);
    table.place(row, table.addFrame({ pack, offset, stored, size: stored }), 0);
    return row;
  });
  return planRanges(table, rows);
}

test('neighbours are read together, gaps that are not worth a request of their own included', () => {
  const ranges = planned([
    [0, 5000, 1000],
    [0, 0, 1000],
    [1, 0, 10],
    [0, 500_000, 10],
  ]);
  expect(ranges.map(({ pack: { hash }, start, end, frames }) => [hash, start, end, frames.length])).toEqual([
    ['a', 0, 6000, 2],
    ['a', 500_000, 500_010, 1],
    ['b', 0, 10, 1],
  ]);
});

test('no range is longer than what is to be held in memory', () => {
  const ranges = planned(Array.from({ length: 9 }, (_, i) => [0, i * MiB, MiB] as const));
  expect(ranges.map(({ start, end }) => (end - start) / MiB)).toEqual([4, 4, 1]);
});

test('ranges that follow each other are asked for together, up to a limit and no further than a gap', () => {
  const ranges = planned([
    ...Array.from({ length: 9 }, (_, i) => [0, i * MiB, MiB] as const),
    [1, 0, MiB],
    [1, 2 * MiB, MiB],
  ]);
  const requests = joinRanges(ranges, 8 * MiB);
  expect(requests.map((joined) => joined.map(({ end, start }) => (end - start) / MiB))).toEqual([
    [4, 4],
    [1],
    [1],
    [1],
  ]);
  expect(requests.flat()).toEqual(ranges);
});

test('ranges that overlap, as no pack of ours has them, are not asked for together', () => {
  const ranges = planned([
    [0, 0, 8 * MiB],
    [0, 5 * MiB, MiB],
  ]);
  expect(joinRanges(ranges, 8 * MiB)).toHaveLength(ranges.length);
});

test('blobs that share a frame cost one reading of it', () => {
  const table = new BlobTable();
  const frame = table.addFrame({
    pack: table.addPack({ hash: 'a', size: MiB }),
    offset: 0,
    stored: 500,
    size: 900,
  });
  const rows = [0, 300, 600].map((position, i) => {
    const row = table.add(Buffer.alloc(32, i), 300);
    table.place(row, frame, position);
    return row;
  });
  expect(planRanges(table, rows)).toMatchObject([{ start: 0, end: 500, frames: [{ rows }] }]);
});
