import { expect, test } from 'vitest';
import { encodeLines, encodeLongLine } from '../../../../../src/bot/logs/ship/encodeLine.ts';

const stamp = { timestamp: Date.UTC(2026, 10, 21, 1, 2, 3, 4), stream: 'stdout' } as const;
const messageOf = (kept: Buffer) => (JSON.parse(kept.toString()) as { message: string }).message;

test.each([
  ['plain', 'plain'],
  ['ends in CR\r', 'ends in CR'],
  ['CR\rinside', 'CR\rinside'],
  ['quote " backslash \\ tab \t nul \0', 'quote " backslash \\ tab \t nul \0'],
  ['\ufeffmark, \u2028 and 😀', '\ufeffmark, \u2028 and 😀'],
  ['', ''],
  ['{"timestamp":1', '{"timestamp":1'],
  ['{"a":{"timestamp":1}}', '{"a":{"timestamp":1}}'],
  ['["timestamp"]', '["timestamp"]'],
])('%j is kept as a message', (line, message) => {
  const kept = encodeLines(stamp, Buffer.from(`${line}\n`));
  expect(JSON.parse(kept.toString())).toEqual({
    timestamp: '2026-11-21T01:02:03.004Z',
    stream: 'stdout',
    message,
  });
  // In pieces, it is kept in the same words.
  expect(encodeLongLine(stamp, [Buffer.from(line.slice(0, 3)), Buffer.from(line.slice(3))], false)).toEqual(
    kept,
  );
});

test.each(['{"timestamp":"2026-01-01T00:00:00Z","level":"info"}', ' { "x" : 1, "timestamp" : null } '])(
  'an object with a timestamp of its own is kept as it is: %s',
  (line) => {
    expect(encodeLines(stamp, Buffer.from(`${line}\r\n`)).toString()).toBe(`${line}\n`);
  },
);

test('invalid UTF-8 is replaced, in a long line also where pieces and slices meet', () => {
  expect(messageOf(encodeLines(stamp, Buffer.from('a\xff\xc3\nb', 'latin1').subarray(0, 4)))).toBe(
    'a\ufffd\ufffd',
  );
  const long = Buffer.from(`${'x'.repeat(65_535)}é${'y'.repeat(65_534)}😀z`);
  const kept = encodeLongLine(stamp, [long.subarray(0, 65_536), long.subarray(65_536)], false);
  expect(messageOf(kept) === long.toString()).toBe(true);
});

test('a long line that is an object of too many elements to be looked at is kept as a message', () => {
  const line = Buffer.from(`{"timestamp":1,"a":[${'[],'.repeat(400_000)}0]}`);
  expect(messageOf(encodeLongLine(stamp, [line], false)) === line.toString()).toBe(true);
});
