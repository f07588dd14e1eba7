import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asDiskFailure } from '../../../../../src/bot/state/local/diskFailure.ts';
import { openRoot } from '../../../../../src/bot/state/local/treeRoot.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

test('a write that the system refuses is told with the entry that it was for', async () => {
  const dir = await temporaryDirectory();
  mkdirSync(join(dir, 'größe'));
  const refused = () => writeFileSync(join(dir, 'größe', 'x'.repeat(300)), '');
  let error: unknown;
  try {
    refused();
  } catch (thrown) {
    error = thrown;
  }
  expect(asDiskFailure(error, openRoot(dir))).toMatchObject({
    code: 'unavailable',
    message: `the state cannot be written to ${dir}: ENAMETOOLONG (größe/${'x'.repeat(300)})`,
    hint: expect.stringContaining('names that long'),
  });
});

test.each([
  ['ENOSPC', 'disk is full'],
  ['EDQUOT', 'df -i'],
  ['EFBIG', 'ulimit -f'],
  ['EEXIST', 'capitals'],
  ['EACCES', 'must be writable'],
])('%s while the new tree is built', async (code, hint) => {
  const root = openRoot(await temporaryDirectory());
  const error = Object.assign(new Error(code), { code, path: '/proc/self/fd/26/incoming/a/b' });
  expect(asDiskFailure(error, root)).toMatchObject({
    message: expect.stringMatching(`: ${code} \\(a/b\\)$`),
    hint: expect.stringContaining(hint),
  });
  expect(asDiskFailure(Object.assign(new Error(code), { code }), root)).toMatchObject({
    message: expect.stringMatching(`: ${code}$`),
  });
});
