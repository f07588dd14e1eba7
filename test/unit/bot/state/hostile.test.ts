import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathOfBytes } from '../../../../src/bot/state/format/entryPath.ts';
import { encodeHead, parseHead } from '../../../../src/bot/state/format/head.ts';
import { openBeneath, openRoot } from '../../../../src/bot/state/local/treeRoot.ts';
import { signal, TestBot } from './support/bot.ts';
import { treeOf } from './support/treeOf.ts';

const MiB = 1024 * 1024;
const hashOfX = hash('sha256', 'x');

/** A bot whose newest snapshot has these rows, checksum and all: what somebody with the store's credentials can do. */
async function forged(rows: readonly unknown[] | undefined): Promise<TestBot> {
  const bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  const head = parseHead(readFileSync(bot.object('head'), 'utf8'), bot.name);
  const [snapshot] = head.snapshots;
  await bot.store.put(
    `${bot.name}/head`,
    encodeHead({ ...head, snapshots: [{ ...snapshot!, entries: rows && [...rows] }] }),
  );
  return bot;
}

test.each([
  ['climbs out', [['d', '../outside', 0o755, 0]]],
  ['is absolute', [['d', '/tmp/outside', 0o755, 0]]],
  [
    'has an empty name',
    [
      ['d', 'a', 0o755, 0],
      ['d', 'a//b', 0o755, 0],
    ],
  ],
  ["is the runtime's own", [['d', '.runtime-sync', 0o755, 0]]],
  ['has a zero byte', [['d', 'a\0b', 0o755, 0]]],
  [
    'lies below a link',
    [
      ['l', 'a', 0o777, 0, '/tmp'],
      ['d', 'a/b', 0o755, 0],
    ],
  ],
  ['lies in no folder', [['d', 'a/b', 0o755, 0]]],
  [
    'comes twice',
    [
      ['d', 'a', 0o755, 0],
      ['d', 'a', 0o755, 0],
    ],
  ],
  [
    'is out of order',
    [
      ['d', 'b', 0o755, 0],
      ['d', 'a', 0o755, 0],
    ],
  ],
  ['has a size that its blocks do not have', [['f', 'a', 0o644, 0, 5 * MiB, []]]],
  [
    'has a block that is longer elsewhere',
    [
      ['f', 'a', 0o644, 0, 1, [[hashOfX]]],
      ['f', 'b', 0o644, 0, 2, [[hashOfX]]],
    ],
  ],
] as const)('a path that %s is damage', async (_name, rows) => {
  await using bot = await forged(rows);
  await expect(bot.start('b')).rejects.toMatchObject({ code: 'damaged' });
  expect(treeOf(bot.dir('b'))).toEqual([]);
});

test('a snapshot that lies nowhere is damage, not an empty state', async () => {
  await using bot = await forged(undefined);
  await expect(bot.start('b')).rejects.toMatchObject({ code: 'damaged' });
});

test('links that leave the state are neither saved nor restored', async () => {
  await using bot = await forged([
    ['l', 'out', 0o777, 0, '../../etc'],
    ['l', 'up', 0o777, 0, 'x/../..'],
  ]);
  const { dir } = await bot.start('b');
  expect(treeOf(dir)).toEqual([]);
  symlinkSync('/etc', join(dir, 'absolute'));
  symlinkSync('a/../../b', join(dir, 'winding'));
  symlinkSync('inside', join(dir, 'fine'));
  const { publisher } = await bot.start('b');
  await publisher.publish({ signal });
  expect(treeOf((await bot.start('c')).dir).map((line) => line.split(' ')[0])).toEqual(['/fine']);
});

test('what cannot be saved is left out and told of once', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  writeFileSync(join(dir, 'file'), 'x');
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'file'), 'y');
  await publisher.publish({ signal });
  expect(bot.warnings).toEqual(['a pipe cannot be saved and was left out of the state']);
});

test('a folder that became a link is not read through', async () => {
  await using bot = await TestBot.open();
  mkdirSync(bot.dir('secret'));
  writeFileSync(bot.dir('secret/key'), 'secret');
  mkdirSync(bot.dir('a/folder'), { recursive: true });
  writeFileSync(bot.dir('a/folder/key'), 'mine');
  const root = openRoot(bot.dir('a'));
  const fd = openBeneath(root, pathOfBytes('folder/key'), 'file');
  expect(fd).toBeTypeOf('number');
  closeSync(fd!);
  rmSync(bot.dir('a/folder'), { recursive: true });
  symlinkSync(bot.dir('secret'), bot.dir('a/folder'));
  expect(openBeneath(root, pathOfBytes('folder/key'), 'file')).toBeUndefined();
  expect(openBeneath(root, pathOfBytes('folder'), 'folder')).toBeUndefined();
});

test('a forged marker or a link in its place leads nowhere', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  const saved = treeOf(dir);
  const reserved = join(dir, '.runtime-sync');
  writeFileSync(join(dir, 'x'), 'not published');
  for (const content of [
    'not json',
    '{}',
    JSON.stringify({
      bot: bot.name,
      generation: 1e9,
      sequence: 1,
      complete: true,
      claimants: [],
      restoredAt: 0,
    }),
  ]) {
    rmSync(reserved, { recursive: true });
    writeFileSync(reserved, content);
    expect((await bot.start('a')).report.kept).toBe(false);
    expect(treeOf(dir)).toEqual(saved);
  }
  mkdirSync(bot.dir('elsewhere'));
  writeFileSync(bot.dir('elsewhere/marker'), 'untouched');
  rmSync(reserved, { recursive: true });
  symlinkSync(bot.dir('elsewhere'), reserved);
  await bot.start('a');
  expect(readFileSync(bot.dir('elsewhere/marker'), 'utf8')).toBe('untouched');
});

test("a file that is somebody else's as well is not taken over", async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  await bot.start('b');
  linkSync(join(dir, 'x'), bot.dir('hard link'));
  expect((await bot.start('a')).report).toMatchObject({ kept: false, reusedBytes: 0 });
  expect(statSync(join(dir, 'x')).nlink).toBe(1);
});

test('sparse files stay sparse and cost nothing', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const path = join(dir, 'sparse');
  writeFileSync(path, 'start');
  truncateSync(path, 200 * MiB);
  const fd = openSync(path, 'r+');
  writeSync(fd, 'middle', 77 * MiB + 12_345);
  closeSync(fd);
  const report = await publisher.publish({ signal });
  expect(report!.uploadedBytes).toBeLessThan(10_000);
  const other = await bot.start('b');
  expect(treeOf(other.dir)).toEqual(treeOf(dir));
  expect(statSync(join(other.dir, 'sparse')).blocks).toBeLessThan(100);
  expect(existsSync(join(other.dir, '.runtime-sync/incoming'))).toBe(false);
});
