import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerError } from '../../../../../src/agent/query/http/answerHead.ts';
import { AnswerReader, type ProgramAnswer } from '../../../../../src/agent/query/http/answerReader.ts';

const LIMIT = 1000;

/** Reads bytes in pieces of these lengths, then the end of the connection. */
function read(text: string, lengths: readonly number[] = [text.length]): ProgramAnswer {
  const reader = new AnswerReader(LIMIT);
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
  ['headers without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`],
])('refuses %s', (_name, text) => {
  expect(() => read(text)).toThrow(AnswerError);
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
