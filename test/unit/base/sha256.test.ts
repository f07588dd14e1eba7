import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256, startSha256 } from '../../../src/base/sha256.ts';

const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sample = (length: number) =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 31 + length) % 256));

test.each([0, 1, 55, 56, 63, 64, 65, 1000, 4095, 4096, 4097, 100_000])(
  'the SHA-256 of %i bytes',
  (length) => {
    const bytes = sample(length);
    expect(sha256(bytes)).toBe(expected(bytes));
    const pieces = startSha256(length);
    for (let at = 0; at < length; at += 61) pieces.update(bytes.subarray(at, at + 61));
    expect(pieces.digest()).toBe(expected(bytes));
  },
);

test('a text is hashed as UTF-8', () => {
  expect(sha256('grüße, 世界')).toBe(expected(Buffer.from('grüße, 世界')));
});

test('more bytes than were announced', () => {
  const pieces = startSha256(1);
  pieces.update(sample(9000));
  expect(pieces.digest()).toBe(expected(sample(9000)));
});
