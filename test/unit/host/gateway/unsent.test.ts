import { expect, test } from 'vitest';
import { Unsent } from '../../../../src/host/gateway/unsent.ts';

const MB = 1_000_000;

function answers() {
  let now = 0;
  const cut: string[] = [];
  const unsent = new Unsent({ perBot: 20 * MB, inAll: 30 * MB }, () => now);
  return {
    cut,
    unsent,
    pass: (ms: number) => {
      now += ms;
    },
    /** Of `size` bytes, being sent. */
    sending: (bot: string, size: number, name = bot) => {
      const held = unsent.open(bot);
      held.grow(size);
      held.sending(() => void cut.push(name));
      return held;
    },
  };
}

test('without room, who has read for the longest is cut, and of its own bot where that has too much', () => {
  const { sending, pass, cut } = answers();
  sending('other', 8 * MB);
  sending('a', 10 * MB, 'first');
  sending('a', 10 * MB, 'second');
  pass(5_000);
  sending('a', 5 * MB, 'third');
  expect(cut).toEqual(['first']);
  sending('b', 10 * MB);
  expect(cut).toEqual(['first', 'other']);
});

test('nobody is cut who has only begun; others come again later, or when one is done', () => {
  const { sending, pass, cut } = answers();
  const first = sending('a', 15 * MB);
  pass(4_999);
  const more = () => sending('a', 10 * MB);
  expect(more).toThrow(expect.objectContaining({ status: 503, headers: { 'retry-after': '1' } }));
  first.close();
  first.close();
  more();
  expect(cut).toEqual([]);
});

test('small answers always find room, and one that nobody is sent yet is not cut', () => {
  const { sending, unsent, pass, cut } = answers();
  sending('a', 20 * MB);
  const unread = unsent.open('b');
  unread.grow(10 * MB);
  pass(60_000);
  for (let i = 0; i < 100; i++) sending('a', 32 * 1024);
  expect(cut).toEqual([]);
  expect(() => unread.grow(25 * MB)).toThrow(expect.objectContaining({ status: 503 }));
});
