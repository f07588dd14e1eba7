import { expect, test } from 'vitest';
import { excerpt, parseAnswer } from '../../../../src/bot/answers/answer.ts';

test.each(['{"status":"ok","data":1}', '{"status":"ok"}', ' {"status":"error","error":"x","more":1}\n'])(
  '%s is an answer',
  (text) => expect(parseAnswer(Buffer.from(text))).toEqual(JSON.parse(text)),
);

test.each([
  '',
  'null',
  '1',
  '[]',
  '"ok"',
  '{}',
  '{"status":"OK"}',
  '{"status":"error"}',
  '{"status":"error","error":{}}',
  '{"status":"ok","data":NaN}',
  '{"status":"ok"',
])('%s is none', (text) => expect(parseAnswer(Buffer.from(text))).toBeUndefined());

test('bytes that are not UTF-8 are not an answer', () => {
  expect(parseAnswer(Buffer.from('{"status":"ok","data":"\xff"}', 'latin1'))).toBeUndefined();
});

test('an excerpt is short and quoted', () => {
  expect(excerpt(Buffer.from('  \n'))).toBe('nothing');
  expect(excerpt(Buffer.from('a\n"b"'))).toBe('"a\\n\\"b\\""');
  expect(excerpt(Buffer.alloc(5000, 'x')).length).toBeLessThan(210);
});
