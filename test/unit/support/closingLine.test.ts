import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

test('a suite whose preparation fails has failed, though none of its tests has run', () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = join(root, 'test/fixtures/closingLine/vitest.config.ts');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  });
  expect(status, stdout).toBe(1);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 1 failed, 2 skipped');
});
