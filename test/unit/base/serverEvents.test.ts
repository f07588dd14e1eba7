import { expect, test } from 'vitest';
import { serverEvents } from '../../../src/base/serverEvents.ts';
import { collect } from '../../support/collect.ts';

const text =
  ': a comment\n\nid: 7\nevent: a\ndata: {"text":"ä: €"}\n\ndata:one\ndata: two\n\n: alive\n\nevent: none\n\nevent: cut\ndata: 1';
const expected = [
  { id: '7', event: 'a', data: '{"text":"ä: €"}' },
  { id: undefined, event: 'message', data: 'one\ntwo' },
];

async function* pieces(size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test.each([1, 2, 3, 5, 1000])(
  'events are the same however they are cut: %d bytes at a time',
  async (size) => {
    expect(await collect(serverEvents(pieces(size), 1000))).toEqual(expected);
  },
);

test('pieces may be text as well; an event without an end is none for ever', async () => {
  async function* mixed() {
    yield text.slice(0, 20);
    yield Buffer.from(text.slice(20));
  }
  expect(await collect(serverEvents(mixed(), 1000))).toEqual(expected);
  await expect(collect(serverEvents(pieces(5), 30))).rejects.toThrow('without an end');
});
