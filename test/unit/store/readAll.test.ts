import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readAll } from '../../../src/store/readAll.ts';

const stored = (size: number, ...chunks: string[]) => ({
  key: 'k',
  etag: 'e',
  modified: 0,
  size,
  body: Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
});

test('a body as long as announced', async () => {
  expect((await readAll(stored(5, 'he', 'llo'), 5)).toString()).toBe('hello');
});

test.each([
  ['larger than allowed', stored(5, 'hello'), 4],
  ['shorter than announced', stored(6, 'hello'), 9],
  ['longer than announced', stored(4, 'hel', 'lo'), 9],
])('a body %s is damaged, and given up', async (_, body, maxBytes) => {
  await expect(readAll(body, maxBytes)).rejects.toMatchObject({ code: 'damaged' });
  expect(body.body.destroyed).toBe(true);
});
