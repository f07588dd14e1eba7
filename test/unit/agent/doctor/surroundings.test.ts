import { expect, test } from 'vitest';
import { memory, reaper, together } from '../../../../src/agent/doctor/surroundings.ts';

test.each([
  ['max', 'ok', 'no limit'],
  [undefined, 'ok', 'no limit'],
  ['9223372036854771712', 'ok', 'no limit'],
  [String(256 * 1024 * 1024), 'ok', 'limited to 256 MiB'],
  [String(32 * 1024 * 1024), 'warn', 'limited to 32 MiB'],
])('memory limit %s: %s', (limit, status, message) => {
  expect(memory(limit)).toMatchObject({ status, message });
});

test.each([
  ['tini', 'ok'],
  ['docker-init', 'ok'],
  ['runtime', 'warn'],
  [undefined, 'warn'],
])('%s as the first process: %s', (first, status) => {
  expect(reaper(first)).toMatchObject({ status });
});

test('a container whose processes are all killed together is told', () => {
  expect(together('1')).toMatchObject([{ status: 'warn' }]);
  expect(together('0')).toEqual([]);
  expect(together(undefined)).toEqual([]);
});
