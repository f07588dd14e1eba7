import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolders } from '../../../src/base/makeFolders.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';

test('what is missing is made, and the first of it told', async () => {
  const root = await temporaryDirectory();
  expect(makeFolders(join(root, 'a/b/c'), 0o750)).toBe(join(root, 'a'));
  expect(statSync(join(root, 'a/b/c')).mode & 0o777).toBe(0o750);
  expect(makeFolders(join(root, 'a/b/d'))).toBe(join(root, 'a/b/d'));
  expect(makeFolders(join(root, 'a/b/d'))).toBe(undefined);
});

test.each(['/proc/none', '/proc/self/none/deeper', '/proc/sys/none'])(
  '%s cannot be created, which is an error and no loop',
  (path) => {
    expect(() => makeFolders(path)).toThrow(/ENOENT|EACCES|EPERM/);
  },
);

test('a file in the way is an error', async () => {
  const root = await temporaryDirectory();
  writeFileSync(join(root, 'file'), '');
  expect(() => makeFolders(join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeFolders(join(root, 'file/below'))).toThrow('ENOTDIR');
});
