import { expect, test } from 'vitest';
import { forgetPacks } from '../../../../../src/bot/state/publish/forgetPacks.ts';

const MiB = 1024 * 1024;
const packs = (...sizes: number[]) => ({ packs: sizes.map((size, i) => ({ hash: `${i}`, size })) });

test('packs of which little is in use are given up, full ones are not', () => {
  expect(forgetPacks(packs(8 * MiB, 8 * MiB), [5 * MiB, 2 * MiB])).toEqual(new Set([1]));
});

test('a few small packs are left alone, many are given up', () => {
  const few = packs(...Array<number>(24).fill(1000));
  const many = packs(...Array<number>(25).fill(1000));
  expect(
    forgetPacks(
      few,
      few.packs.map(() => 900),
    ).size,
  ).toBe(0);
  expect(
    forgetPacks(
      many,
      many.packs.map(() => 900),
    ).size,
  ).toBe(25);
});

test('what goes up again in one publish is bounded', () => {
  const many = packs(...Array<number>(20).fill(8 * MiB));
  expect(
    forgetPacks(
      many,
      many.packs.map(() => 3 * MiB),
    ).size,
  ).toBe(5);
});

test('packs that nothing uses are no concern', () => {
  expect(forgetPacks(packs(8 * MiB), [0]).size).toBe(0);
});
