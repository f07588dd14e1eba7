import { expect, test } from 'vitest';
import type { BotSpec } from '../../../../src/host/bots/botSpec.ts';
import { isSameSpec } from '../../../../src/host/bots/isSameSpec.ts';

const spec = {
  name: 'a',
  config: { list: [1, { x: null }], text: 't', nested: { y: undefined }, odd: [Number.NaN, undefined, -0] },
  schedule: undefined,
  secrets: [],
} as unknown as BotSpec;
const changed = (change: object) => ({ ...spec, ...change }) as BotSpec;

test('one that was recorded says the same', () => {
  expect(isSameSpec(spec, JSON.parse(JSON.stringify(spec)) as BotSpec)).toBe(true);
  expect(isSameSpec(JSON.parse(JSON.stringify(spec)) as BotSpec, spec)).toBe(true);
});

test.each([
  ['another value', { name: 'b' }],
  ['one more', { image: 'x' }],
  ['one less', { secrets: undefined }],
  ['null for nothing', { schedule: null }],
  ['a mapping for null', { config: null }],
  ['a list that is longer', { secrets: ['s'] }],
  ['deep inside', { config: { list: [1, { x: 0 }], text: 't' } }],
  ['an empty mapping for an empty list', { secrets: {} }],
  ['text for a number', { config: { list: ['1', { x: null }], text: 't' } }],
])('%s is another one, whichever is asked first', (_, change) => {
  expect(isSameSpec(spec, changed(change))).toBe(false);
  expect(isSameSpec(changed(change), spec)).toBe(false);
});
