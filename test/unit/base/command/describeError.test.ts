import { expect, test } from 'vitest';
import { describeError } from '../../../../src/base/command/describeError.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';

const error = new RuntimeError('config', 'two problems:', {
  problems: ['A is bad', 'B is bad'],
  hint: 'read on',
});
const now = () => 0;

test('message, problems and hint, one line each', () => {
  expect(describeError(error, {}, now)).toBe('runtime: two problems:\nA is bad\nB is bad\nhint: read on\n');
});

test('a file’s name in it cannot act on a terminal', () => {
  const named = new RuntimeError('config', 'no \u001b[2Jfile', {
    problems: ['a\tb'],
    hint: 'one\nof \u009b31mmany',
  });
  expect(describeError(named, {}, now)).toBe(
    'runtime: no \\u001b[2Jfile\na\tb\nhint: one\nof \\u009b31mmany\n',
  );
});

test('LOG_FORMAT=json makes a JSON line of each', () => {
  const lines = describeError(error, { LOG_FORMAT: 'json' }, now).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual([
    'two problems:',
    'A is bad',
    'B is bad',
    'hint: read on',
  ]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ timestamp: '1970-01-01T00:00:00.000Z', level: 'error' });
});

test('the stack of a defect is shown only when debugging, other properties never', () => {
  const defect = Object.assign(new TypeError('x is undefined'), { headers: 'hush' });
  expect(describeError(defect, {}, now)).toBe('runtime: x is undefined\n');
  const debug = describeError(defect, { LOG_LEVEL: 'debug' }, now);
  expect(debug).toContain('describeError.test.ts');
  expect(debug).not.toContain('hush');
});
