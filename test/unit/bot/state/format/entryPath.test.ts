import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  comparePaths,
  isEntryPath,
  pathOfBytes,
  pathToText,
  textToPath,
} from '../../../../../src/bot/state/format/entryPath.ts';
import { staysInside } from '../../../../../src/bot/state/format/linkTarget.ts';

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const someUtf8 = fc
  .string({ unit: 'binary', maxLength: 20 })
  .map((text) => Buffer.from(text).toString('latin1'));

test('any bytes become text and the same bytes again, through JSON as well', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyBytes,
        someUtf8,
        fc.tuple(someUtf8, anyBytes).map(([a, b]) => a + b),
      ),
      (path) => {
        expect(textToPath(JSON.parse(JSON.stringify(pathToText(pathOfBytes(path)))))).toBe(path);
      },
    ),
  );
});

test('UTF-8 stays readable, and other bytes are surrogates as in Python', () => {
  expect(pathToText(pathOfBytes(Buffer.from('ünï/日本').toString('latin1')))).toBe('ünï/日本');
  expect(pathToText(pathOfBytes('a\xff\xfeb'))).toBe('a\udcff\udcfeb');
  // An encoded surrogate is not UTF-8: its bytes are escaped one by one.
  expect(pathToText(pathOfBytes('\xed\xb2\x80'))).toBe('\udced\udcb2\udc80');
});

test('walk order puts a folder before what is in it, and that before its neighbours', () => {
  const walked = ['a', 'a/b', 'a/b/c', 'a/z', 'a-b', 'a.b', 'ab', 'b'].map(pathOfBytes);
  expect([...walked].reverse().sort(comparePaths)).toEqual(walked);
});

test.each([
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  'a/..',
  '../a',
  'a/./b',
  'a\0',
  '.runtime-sync',
  '.runtime-sync/x',
  'x'.repeat(256),
])('%j is not a path of a state', (path) => expect(isEntryPath(pathOfBytes(path))).toBe(false));

test.each(['a', 'a/b', '..a', 'a/.runtime-sync', ' ', '...'])('%j is one', (path) =>
  expect(isEntryPath(pathOfBytes(path))).toBe(true),
);

test.each([
  ['a/b/link', '../../c', true],
  ['a/b/link', '../../../c', false],
  ['link', 'c', true],
  ['link', '../c', false],
  ['link', './c', true],
  ['link', '', false],
  ['link', '/state/x', true],
  ['link', '/state', true],
  ['link', '/stateful', false],
  ['link', '/etc/passwd', false],
  ['link', '/state/../etc', false],
  ['a/link', 'x/../../..', false],
  ['a/link', 'x/../y', false],
] as const)('a link at %j to %j stays inside: %j', (path, target, inside) => {
  expect(staysInside(pathOfBytes(path), pathOfBytes(target), pathOfBytes('/state'))).toBe(inside);
});
