import { expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { tokenCheck } from '../../../../src/bot/answers/tokenCheck.ts';

test.each([
  ['Bearer s3cret', true],
  ['bearer  s3cret ', true],
  ['Bearer s3cre', false],
  ['Bearer s3crets', false],
  ['Bearer', false],
  ['Basic s3cret', false],
  ['s3cret', false],
  [undefined, false],
])('Authorization: %s', (header, allowed) => {
  expect(tokenCheck(new Secret('s3cret'))(header)).toBe(allowed);
});

test('without a token everybody may ask', () => {
  expect(tokenCheck(undefined)(undefined)).toBe(true);
});
