import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOomKills } from '../../../../../src/agent/supervisor/life/oomKill.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

test('both versions of cgroups tell, the first file that does', async () => {
  const dir = await temporaryDirectory();
  const version2 = join(dir, 'memory.events');
  const version1 = join(dir, 'memory.oom_control');
  await writeFile(version2, 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n');
  await writeFile(version1, 'oom_kill_disable 0\nunder_oom 0\noom_kill 7\n');
  expect(readOomKills([version2, version1])).toBe(2);
  expect(readOomKills([join(dir, 'absent'), version1])).toBe(7);
});

test('a kernel that does not say is not a zero', async () => {
  const dir = await temporaryDirectory();
  const old = join(dir, 'memory.oom_control');
  await writeFile(old, 'oom_kill_disable 0\nunder_oom 0\n');
  expect(readOomKills([old, join(dir, 'absent')])).toBe(undefined);
});
