import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { mappedBody } from '../../../src/store/mappedBody.ts';
import { collect } from '../../support/collect.ts';

test('an abort before anybody reads, or before there is a body, closes its source', async () => {
  for (const isEarly of [true, false]) {
    const over = new AbortController();
    const source = Readable.from(['bytes']);
    if (isEarly) over.abort(new Error('nobody asks any more'));
    const body = mappedBody(source, (error) => error, over.signal);
    over.abort(new Error('nobody asks any more'));
    expect(source.destroyed).toBe(true);
    await expect(collect(body)).rejects.toThrow('nobody asks any more');
  }
});

test('a body that is not read is closed with it', async () => {
  const source = Readable.from(['bytes']);
  const body = mappedBody(source, (error) => error, undefined);
  const closed = new Promise((resolve) => body.once('close', resolve));
  body.destroy();
  await closed;
  expect(source.destroyed).toBe(true);
});
