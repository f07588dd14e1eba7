import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replaceFile } from '../../../src/base/replaceFile.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';

test('the file is what was given, with its mode, and nothing else is left', async () => {
  const dir = await temporaryDirectory();
  const path = join(dir, 'a');
  writeFileSync(path, 'old and longer', { mode: 0o600 });
  writeFileSync(`${path}.new`, 'of one that crashed');
  replaceFile(path, 'new', { mode: 0o640 });
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(dir)).toEqual(['a']);
});

test('nothing is written through a link at either name', async () => {
  const dir = await temporaryDirectory();
  const [path, other] = [join(dir, 'a'), join(dir, 'other')];
  writeFileSync(other, 'mine');
  for (const name of [path, `${path}.new`]) symlinkSync(other, name);
  replaceFile(path, 'new', { mode: 0o644 });
  expect(readFileSync(other, 'utf8')).toBe('mine');
  expect(lstatSync(path).isFile()).toBe(true);
});
