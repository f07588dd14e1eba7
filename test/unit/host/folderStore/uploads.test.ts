import { expect, test } from 'vitest';
import { createUploads, type Part } from '../../../../src/host/folderStore/uploads.ts';

const MIB = 2 ** 20;
const bytes = (size: number): Part => ({ type: 'bytes', bytes: Buffer.alloc(size) });

test('who has opened all the uploads that there may be loses one to another, and gets no more itself', () => {
  const uploads = createUploads(() => 0);
  const ids = Array.from({ length: 1000 }, () => uploads.create('greedy', 'b', 'greedy/x'));
  expect(() => uploads.create('greedy', 'b', 'greedy/x')).toThrow('SlowDown');
  const id = uploads.create('modest', 'b', 'modest/head');
  expect(uploads.of(id, 'b', 'modest/head').holder).toBe('modest');
  expect(() => uploads.of(ids[0]!, 'b', 'greedy/x')).toThrow('NoSuchUpload');
  expect(uploads.of(ids[1]!, 'b', 'greedy/x').holder).toBe('greedy');
});

test('who has filled the memory of parts loses some to another', () => {
  const uploads = createUploads(() => 0);
  const of = (holder: string) => uploads.of(uploads.create(holder, 'b', holder), 'b', holder);
  const [first, second] = [of('greedy'), of('greedy')];
  uploads.add(first, 1, bytes(32 * MIB));
  uploads.add(second, 1, bytes(32 * MIB));
  expect(() => uploads.add(second, 2, bytes(1))).toThrow('SlowDown');
  const modest = of('modest');
  uploads.add(modest, 1, bytes(MIB));
  expect(modest.parts.size).toBe(1);
  expect(uploads.list('b', '').map(({ key }) => key)).toEqual(['greedy', 'modest']);
});
