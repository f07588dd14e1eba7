import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeOutputPipes } from '../../../../../src/agent/supervisor/capture/outputPipes.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

test('what a killed supervisor has left is removed, and what another one is making is not', async () => {
  const dir = await temporaryDirectory();
  for (const name of ['.pipes-left', '.pipes-young', 'journal']) {
    mkdirSync(join(dir, name));
    execFileSync('mkfifo', [join(dir, name, 'stdout')]);
  }
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of ['.pipes-left', 'journal']) utimesSync(join(dir, name), longAgo, longAgo);
  expect(await makeOutputPipes(dir, async () => false)).toBeUndefined();
  expect(readdirSync(dir).sort()).toEqual(['.pipes-young', 'journal']);
});
