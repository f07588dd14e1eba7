import { expect, test } from 'vitest';
import { planRanges } from '../../../src/state/fetchBlobs.ts';

const MiB = 1024 * 1024;
const pack = (hash: string) => ({ hash, size: 9 * MiB });
const blob = (hash: string, offset: number, stored: number) => ({
  hash: Buffer.alloc(32),
  pack: pack(hash),
  offset,
  stored,
  size: stored,
});

test('neighbours are read together, gaps that are not worth a request of their own included', () => {
  const ranges = planRanges([
    blob('a', 5000, 1000),
    blob('a', 0, 1000),
    blob('b', 0, 10),
    blob('a', 500_000, 10),
  ]);
  expect(ranges.map(({ pack: { hash }, start, end, blobs }) => [hash, start, end, blobs.length])).toEqual([
    ['a', 0, 6000, 2],
    ['a', 500_000, 500_010, 1],
    ['b', 0, 10, 1],
  ]);
});

test('no range is longer than what is to be held in memory', () => {
  const ranges = planRanges(Array.from({ length: 9 }, (_, i) => blob('a', i * MiB, MiB)));
  expect(ranges.map(({ start, end }) => (end - start) / MiB)).toEqual([4, 4, 1]);
});
