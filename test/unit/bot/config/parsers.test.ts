import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, durationOrZero, parseDuration } from '../../../../src/bot/config/duration.ts';
import { parseOrigin } from '../../../../src/bot/config/endpoint.ts';
import {
  absolutePath,
  botId,
  exactJsonObject,
  flag,
  insidePath,
  megabytes,
  objectKey,
} from '../../../../src/bot/config/parsers.ts';
import { quote } from '../../../../src/bot/config/variableReader.ts';

test.each([
  ['500ms', 500],
  ['2s', 2000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['0s', 0],
  ['596h', 2_145_600_000],
  ['597h', undefined],
  ['5', undefined],
  ['1.5s', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
  ['1S', undefined],
  ['', undefined],
])('duration %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test('a duration of nothing is only good where it means off', () => {
  expect([duration.parse('0s'), durationOrZero.parse('0s'), durationOrZero.parse('0')]).toEqual([
    undefined,
    0,
    0,
  ]);
});

test.each([
  ['1', 2 ** 20],
  ['0.5', 2 ** 19],
  ['8192', 2 ** 33],
  ['0', undefined],
  ['1e3', undefined],
  ['-1', undefined],
  ['1MB', undefined],
])('%s megabytes', (text, bytes) => {
  expect(megabytes.parse(text)).toBe(bytes);
});

test.each([
  ['true', true],
  ['TRUE', true],
  ['0', false],
  ['constructor', undefined],
  ['yes', undefined],
])('flag %s', (text, value) => {
  expect(flag.parse(text)).toBe(value);
});

const piece = fc.oneof(fc.constantFrom('..', '.', '', 'a', '/', '\0', '...', 'b c', '\n'), fc.string());
const pathText = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('/'));

test('whatever is accepted as a path inside stays inside', () => {
  fc.assert(
    fc.property(pathText, (text) => {
      const path = insidePath.parse(text);
      return path === undefined || (resolve('/bot', path).startsWith('/bot/') && !path.includes('\0'));
    }),
  );
});

test('whatever is accepted as a key stays below its folder, and as it is', () => {
  fc.assert(
    fc.property(pathText, (text) => {
      const key = objectKey.parse(text);
      return key === undefined || (key === text && resolve('/store', key) === `/store/${key}`);
    }),
  );
});

test('an absolute path is read as the system reads it', () => {
  fc.assert(
    fc.property(pathText, (text) => {
      const path = absolutePath.parse(`/${text}`);
      return path === undefined || path === resolve(`/${text}`);
    }),
  );
});

test('an id is a single harmless path segment', () => {
  fc.assert(
    fc.property(piece, (text) => botId.parse(text) === undefined || resolve('/x', text) === `/x/${text}`),
  );
});

test('an endpoint is an origin without user, path or query', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), (text) => {
      const origin = parseOrigin(text, 'http');
      return origin === undefined || new URL(origin).href === `${origin}/`;
    }),
  );
});

test('no parser throws, and a quoted value is one line', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parser of [duration, durationOrZero, megabytes, flag]) parser.parse(text);
      return !quote(text).includes('\n');
    }),
  );
});

test.each([
  ['{"id":18014398509481985,"rate":1E-400,"sum":1.10}', '{"id":18014398509481985,"rate":1E-400,"sum":1.10}'],
  ['[18014398509481985]', undefined],
  // Kept as it was written, it is an object to JavaScript.
  ['18014398509481985', undefined],
])('the JSON object %s', (text, same) => {
  const value = exactJsonObject.parse(text);
  expect(value && JSON.stringify(value)).toBe(same);
});
