import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

function runFixture(name: string, CI: string) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = join(root, 'test/fixtures/skips/vitest.config.ts');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--config', config, name], {
    env: { PATH: process.env.PATH, CI },
    encoding: 'utf8',
  });
  return { status, stdout };
}

test('in CI, a skipped test that is not listed fails the run and is named', () => {
  const { status, stdout } = runFixture('unlisted', 'true');
  expect(status, stdout).toBe(1);
  expect(stdout).toContain('unlisted.fixture.ts > containers > is not listed');
});

test.each([
  ['a listed one in CI', 'named', 'true'],
  ['one that is not, elsewhere', 'unlisted', ''],
])('%s does not', (_, name, ci) => {
  const { status, stdout } = runFixture(name, ci);
  expect(status, stdout).toBe(0);
});
