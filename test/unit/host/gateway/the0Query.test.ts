import { expect, test } from 'vitest';
import { parseThe0Query, the0Answer, the0Status } from '../../../../src/host/gateway/the0Query.ts';

const timing = { startedAt: 10, endedAt: 12.5, now: Date.UTC(2026, 10, 27, 8, 30, 0, 123) };
const more = '"duration":2500000,"timestamp":"2026-11-27T08:30:00.123000000Z"';

test('a path without its slash gets one, and the time-out is 30 s unless the client says', () => {
  expect(parseThe0Query({ bot_id: 'b', query_path: 'status', params: null })).toEqual({
    bot: 'b',
    path: '/status',
    params: undefined,
    timeoutMs: 30_000,
  });
  expect(parseThe0Query({ bot_id: 'b', query_path: '/x', params: { a: 1 }, timeout_sec: 2 })).toEqual({
    bot: 'b',
    path: '/x',
    params: { a: 1 },
    timeoutMs: 2000,
  });
});

test.each([
  ['/a b', '/a%20b'],
  ['/grüße/漢😀', '/gr%C3%BC%C3%9Fe/%E6%BC%A2%F0%9F%98%80'],
  ['/x\r\nX-Evil: y', '/x%0D%0AX-Evil:%20y'],
  ['/\u0000\ud83d\u007f', '/%00%EF%BF%BD%7F'],
  ['/%2F/../?a=%zz&b=1#c', '/%2F/../?a=%zz&b=1#c'],
])('what a line of HTTP cannot hold is escaped, and nothing else: %j', (path, sent) => {
  expect(parseThe0Query({ bot_id: 'b', query_path: path }).path).toBe(sent);
});

test.each([
  [[], 'invalid request body: not a JSON object'],
  [{}, 'bot_id is required'],
  [{ bot_id: 7, query_path: '/' }, 'bot_id is required'],
  [{ bot_id: 'b' }, 'query_path is required'],
  [{ bot_id: 'b', query_path: '/', params: [] }, 'invalid request body: params is not an object'],
  [{ bot_id: 'b', query_path: '/', timeout_sec: -1 }, /timeout_sec/],
  [{ bot_id: 'b', query_path: '/', timeout_sec: 301 }, /timeout_sec/],
  [{ bot_id: 'b', query_path: '/', timeout_sec: '5' }, /timeout_sec/],
])('%j is refused', (body, message) => {
  expect(() => parseThe0Query(body)).toThrow(message);
});

test.each([
  [
    '{"status":"ok","data":{"n":12345678901234567890}}',
    `{"status":"ok","data":{"n":12345678901234567890},${more}}`,
  ],
  ['{"status":"ok"}\n', `{"status":"ok",${more}}`],
  ['{"status":"error","error":"no }"} ', `{"status":"error","error":"no }",${more}}`],
  [
    '{"status":"ok","duration":1,"data":2}',
    `{"status":"ok","duration":2500000,"data":2,"timestamp":"2026-11-27T08:30:00.123000000Z"}`,
  ],
])('%s gets its duration and time, and else stays as it is', (answer, expected) => {
  expect(the0Answer(Buffer.from(answer), timing)?.toString()).toBe(expected);
});

test('what is not an answer is none', () => {
  expect(the0Answer(Buffer.from('<html>'), timing)).toBeUndefined();
});

test("the statuses of refusals are the0's", () => {
  expect([400, 404, 405, 413, 499, 502, 503, 504].map(the0Status)).toEqual([
    400, 404, 405, 413, 500, 500, 503, 500,
  ]);
});
