import { expect, test } from 'vitest';
import { whoseIs } from '../../../../../src/host/sandboxes/shared/whoseIs.ts';

test.each([
  [true, undefined, 'lost'],
  [false, undefined, 'anothers'],
  [true, { holder: 'b' }, 'anothers'],
  [false, { holder: 'b' }, 'anothers'],
  [true, { holder: undefined }, 'nobodys'],
  [false, { holder: undefined }, 'nobodys'],
  [true, { holder: 'a' }, 'ours'],
  [false, { holder: 'a' }, 'ours'],
] as const)('held here: %s, found: %j: %s', (held, found, whose) => {
  expect(whoseIs({ held }, found, 'a')).toBe(whose);
});
