import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFiles } from '../../../../src/agent/doctor/surroundings.ts';
import { fileLimit, OWN_FILES, requireFiles } from '../../../../src/agent/process/fileLimit.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test.each([
  ['24', 24],
  ['1048576', 1_048_576],
  ['unlimited', undefined],
])('what the kernel says of open files: %s', async (soft, expected) => {
  const file = join(await temporaryDirectory(), 'limits');
  writeFileSync(
    file,
    `Limit                     Soft Limit           Hard Limit           Units     \n` +
      `Max open files            ${soft.padEnd(20)} unlimited            files     \n`,
  );
  expect(fileLimit(file)).toBe(expected);
  expect(fileLimit(`${file}.absent`)).toBeUndefined();
});

test('fewer than the runtime needs are refused, with what to do; doctor says so, and of few', () => {
  expect(() => requireFiles(OWN_FILES)).not.toThrow();
  expect(() => requireFiles(undefined)).not.toThrow();
  expect(() => requireFiles(OWN_FILES - 1)).toThrow(
    '35 open files are allowed, and the runtime alone needs 36',
  );
  expect([24, 64, 1024, undefined].map((limit) => openFiles(limit).status)).toEqual([
    'fail',
    'warn',
    'ok',
    'ok',
  ]);
  expect(openFiles(24)).toMatchObject({ exit: 78, hint: expect.stringContaining('--ulimit nofile') });
});
