import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';

const root = join(import.meta.dirname, '../../..');

test('where no cluster is built, its tests say that they are skipped and what would run them', async () => {
  const cache = await temporaryDirectory();
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', 'test/kubernetes/client'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: cache, CI: 'true' },
    encoding: 'utf8',
  });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/The tests of Kubernetes are skipped: .*scripts\/kube build/);
  expect(stdout).toContain('0 passed, 0 failed, 1 skipped');
});
