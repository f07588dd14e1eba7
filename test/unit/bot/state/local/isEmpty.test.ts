import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isEmpty } from '../../../../../src/bot/state/local/isEmpty.ts';
import { openRoot } from '../../../../../src/bot/state/local/treeRoot.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

const isRoot = process.geteuid!() === 0;

test('what is ours does not count', async () => {
  const dir = await temporaryDirectory();
  expect(isEmpty(openRoot(dir))).toBe(true);
  writeFileSync(join(dir, '.runtime-sync'), '');
  expect(isEmpty(openRoot(dir))).toBe(true);
  writeFileSync(join(dir, '.the0'), '');
  expect(isEmpty(openRoot(dir))).toBe(false);
});

test.runIf(isRoot)('nor does what mkfs leaves on a new volume, as long as nothing is in it', async () => {
  const dir = await temporaryDirectory();
  mkdirSync(join(dir, 'lost+found'), { mode: 0o700 });
  expect(isEmpty(openRoot(dir))).toBe(true);
  writeFileSync(join(dir, 'lost+found', 'a file of a bot'), '');
  expect(isEmpty(openRoot(dir))).toBe(false);
  chmodSync(dir, 0o755);
});
