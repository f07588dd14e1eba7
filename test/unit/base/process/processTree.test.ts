import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  botProcesses,
  leftovers,
  type ProcessEntry,
  readProcessTable,
} from '../../../../src/base/process/processTree.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const entry = (pid: number, parent: number, group: number, state = 'S'): ProcessEntry => ({
  pid,
  parent,
  group,
  session: 99,
  state,
});

test("a command's name may hold spaces and parentheses", async () => {
  const proc = await temporaryDirectory();
  const names = ['sh', 'a b', ') S 1 1 (', '((', '))) Z 7 7', ' '];
  for (const [i, name] of names.entries()) {
    await mkdir(join(proc, String(10 + i)));
    await writeFile(join(proc, String(10 + i), 'stat'), `${10 + i} (${name}) S ${i} 99 99 0 -1 4194560 1 1`);
  }
  await mkdir(join(proc, 'self'));
  await mkdir(join(proc, '77'));
  await symlink('nowhere', join(proc, '78'));
  expect(readProcessTable(proc)).toEqual(names.map((_, i) => entry(10 + i, i, 99)));
});

test('the group, its descendants wherever they went, and no zombies', () => {
  const table = [
    entry(1, 0, 1),
    entry(100, 50, 100),
    entry(101, 100, 100),
    // setsid: a group of its own, found by its parent.
    entry(102, 101, 102),
    entry(103, 102, 102),
    // In the group, its parent has died.
    entry(104, 1, 100),
    entry(105, 104, 105, 'Z'),
    entry(200, 50, 200),
  ];
  expect(botProcesses(table, 100)).toEqual([100, 101, 102, 103, 104]);
  expect(botProcesses(table, 300)).toEqual([]);
});

test('what a bot left in its container: all but the first process, us and our helpers with their children', () => {
  const table = [
    entry(1, 0, 1),
    entry(7, 1, 7),
    entry(8, 7, 8),
    entry(9, 8, 9),
    entry(30, 1, 30),
    entry(31, 30, 30, 'Z'),
    entry(32, 31, 30),
  ];
  expect(leftovers(table, 7, [8])).toEqual([30, 32]);
  expect(leftovers(table, 7, [])).toEqual([8, 9, 30, 32]);
});

test('a table that contradicts itself ends too', () => {
  expect(botProcesses([entry(5, 6, 5), entry(6, 5, 6)], 5)).toEqual([5, 6]);
});

test('finds real processes: the group, and one that made a session of its own', async () => {
  const bot = spawn('sh', ['-c', 'sleep 1000 & setsid sleep 1000 & echo up; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => bot.stdout.once('data', resolve));
  onTestFinished(() => end(bot));
  const count = () => botProcesses(readProcessTable(), bot.pid!).length;
  await expect.poll(count).toBe(3);
});

function end(bot: ChildProcess): void {
  for (const pid of botProcesses(readProcessTable(), bot.pid!)) process.kill(pid, 'SIGKILL');
}
