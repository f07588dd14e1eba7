import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerError } from '../../../../../src/agent/query/http/answerHead.ts';
import { AnswerReader, type ProgramAnswer } from '../../../../../src/agent/query/http/answerReader.ts';

const LIMIT = 1000;

/** Reads bytes in pieces of these lengths, then the end of the connection. */
function read(text: string, lengths: readonly number[] = [text.length], limit = LIMIT): ProgramAnswer {
  const reader = new AnswerReader(limit);
  const bytes = Buffer.from(text, 'latin1');
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length) break;
    const answer = reader.push(bytes.subarray(at, at + length));
    at += length;
    if (answer !== undefined) return answer;
  }
  if (at < bytes.length) {
    const answer = reader.push(bytes.subarray(at));
    if (answer !== undefined) return answer;
  }
  return reader.end();
}

const answers: [string, string, number, string, boolean][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello', true],
  [
    'a length and close',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
    200,
    'hello',
    false,
  ],
  ['HTTP/1.0', 'HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nhello', 404, 'hello', false],
  [
    'HTTP/1.0 kept alive',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi',
    200,
    'hi',
    true,
  ],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello', 200, 'hello', false],
  ['bare LF', 'HTTP/1.1 500 Oops\nContent-Length: 5\nX: y\n\nhello', 500, 'hello', true],
  ['mixed line ends', 'HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello', 200, 'hello', true],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 200, '', true],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n',
    200,
    'hello',
    true,
  ],
  [
    'chunks with bare LF and trailers',
    'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\nA: b\n\n',
    200,
    'hello',
    true,
  ],
  ['100 first', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', 200, 'x', true],
  ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', 204, '', true],
  ['more than the length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello', 200, 'he', false],
];

test.each(answers)('%s', (_name, text, status, body, reusable) => {
  const answer = read(text);
  expect({ ...answer, body: answer.body.toString() }).toEqual({ status, body, reusable });
});

test('however an answer is cut into pieces, it is the same', () => {
  const whole = answers.filter(([name]) => name !== 'more than the length');
  fc.assert(
    fc.property(
      fc.constantFrom(...whole),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 200 }),
      (given, lengths) => {
        const [, text, status, body] = given;
        const answer = read(text, lengths);
        expect([answer.status, answer.body.toString()]).toEqual([status, body]);
      },
    ),
  );
});

test.each([
  ['nothing', ''],
  ['half a head', 'HTTP/1.1 200 OK\r\nX: y'],
  ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell'],
  ['half of the chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
  ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['no status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhe'],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n'],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n',
  ],
  ['a length over the limit', `HTTP/1.1 200 OK\r\nContent-Length: ${LIMIT + 1}\r\n\r\n`],
  ['a body over the limit', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(LIMIT + 1)}`],
])('refuses %s', (_name, text) => {
  expect(() => read(text)).toThrow(AnswerError);
});

/** A head of exactly `bytes`, the empty line included. */
const headOf = (bytes: number) => {
  const [start, end] = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ', '\r\n\r\n'];
  return `${start}${'y'.repeat(bytes - start.length - end.length)}${end}`;
};

test('headers may have 64 KiB, in one piece or in many', () => {
  const pieces = Array.from({ length: 200 }, () => 500);
  for (const lengths of [undefined, pieces]) {
    expect(read(headOf(65_536), lengths).status).toBe(200);
    expect(() => read(headOf(65_537), lengths)).toThrow('has headers that are too large');
  }
  // Refused as soon as there is too much, not when it ends.
  const reader = new AnswerReader(LIMIT);
  expect(reader.push(Buffer.alloc(65_536, 'y'))).toBeUndefined();
  expect(() => reader.push(Buffer.from('y'))).toThrow('has headers that are too large');
});

test('a line between chunks may have 4 KiB, in one piece or in many', () => {
  const chunked = (line: string) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${line}\r\nx\r\n0\r\n\r\n`;
  const line = (bytes: number) => `1;${'y'.repeat(bytes - 3)}`;
  const pieces = Array.from({ length: 200 }, () => 100);
  for (const lengths of [undefined, pieces]) {
    expect(read(chunked(line(4096)), lengths, 10_000).body.toString()).toBe('x');
    expect(() => read(chunked(line(4097)), lengths, 10_000)).toThrow('has damaged chunks');
  }
  // Refused as soon as there is too much, not when it ends.
  const reader = new AnswerReader(100_000);
  expect(reader.push(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;'))).toBeUndefined();
  expect(() => reader.push(Buffer.alloc(4096, 'y'))).toThrow('has damaged chunks');
});

test('whatever bytes come, it ends with an answer or an AnswerError', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'HTTP/1.1 200 OK',
      '\r\n',
      '\n',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      '3',
      'abc',
      '0',
      '\0',
      ':',
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      try {
        read(parts.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(AnswerError);
      }
    }),
  );
});
