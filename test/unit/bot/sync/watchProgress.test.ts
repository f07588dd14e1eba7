import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { watchProgress } from '../../../../src/bot/sync/watchProgress.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import { readAll } from '../../../../src/store/readAll.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

async function store() {
  let moves = 0;
  const inner = openFileStore(await temporaryDirectory(), 'bucket', {
    createBucket: true,
    clock: systemClock,
  });
  const watched = watchProgress(inner, () => {
    moves += 1;
  });
  return { watched, moves: () => moves };
}

test('a large body moves bit by bit, and arrives whole', async () => {
  const { watched, moves } = await store();
  const body = Buffer.alloc(5_000_000, 'progress');
  await watched.put('bytes', body);
  expect(moves()).toBeGreaterThan(70);
  const read = await watched.get('bytes');
  expect((await readAll(read, body.length)).equals(body)).toBe(true);
  const before = moves();
  await watched.put('source', { size: body.length, open: () => Readable.from(chunks(body, 100_000)) });
  expect(moves() - before).toBeGreaterThan(40);
});

test('an answer is progress, a refusal is none', async () => {
  const { watched, moves } = await store();
  await watched.put('key', Buffer.from('small'));
  const before = moves();
  await expect(watched.put('key', Buffer.from('again'), { ifNoneMatch: '*' })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(moves()).toBe(before);
  await watched.head('key');
  expect(moves()).toBe(before + 1);
});

function* chunks(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
