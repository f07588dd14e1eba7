import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimLocal } from '../../../../../../src/bot/state/claim/claimLocal.ts';
import { signal, TestBot } from '../../support/bot.ts';
import { treeOf } from '../../support/treeOf.ts';

const SECOND = 1_000_000;

/** A bot whose state was restored to `b`, and the tree that is saved. */
async function restored(): Promise<{ bot: TestBot; dir: string; saved: string[] }> {
  const bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder/inner'), { recursive: true });
  mkdirSync(join(dir, 'backup.1'));
  writeFileSync(join(dir, 'x'), 'some text');
  writeFileSync(join(dir, 'folder/y'), Buffer.alloc(100_000, 'y'));
  writeFileSync(join(dir, 'backup.1/z'), 'older');
  symlinkSync('x', join(dir, 'link'));
  await publisher.publish({ signal });
  const saved = treeOf(dir);
  return { bot, dir: (await bot.start('b')).dir, saved };
}

/** As after another boot; what is older than `agreedAt` (µs) has not changed since the restore. */
function rebooted(dir: string, agreedAt: number, boot = 'another'): void {
  const path = join(dir, '.runtime-sync');
  const marker = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...marker, restoredAt: agreedAt, boot }));
}

/** What the journal still knows of a file is its size and time; its blocks never reached the disk. */
function loseBlocks(path: string, size = statSync(path).size): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  writeFileSync(path, '');
  truncateSync(path, size);
  // Half a microsecond more, since such numbers are rounded down.
  const mtime = `${Number(mtimeNs / 1000n) / 1e6 + 5e-7}`;
  utimesSync(path, mtime, mtime);
  expect(statSync(path, { bigint: true }).mtimeNs / 1000n).toBe(mtimeNs / 1000n);
}

const losses: [string, (dir: string) => void][] = [
  ['blocks of a file', (dir) => loseBlocks(join(dir, 'folder/y'))],
  ['the end of a file', (dir) => loseBlocks(join(dir, 'x'), 0)],
  ['a file', (dir) => rmSync(join(dir, 'folder/y'))],
  ['a folder', (dir) => rmSync(join(dir, 'folder'), { recursive: true })],
  ['a link', (dir) => rmSync(join(dir, 'link'))],
  [
    'a rename',
    (dir) => {
      writeFileSync(join(dir, 'x'), 'text');
      utimesSync(join(dir, 'x'), 1, 1);
    },
  ],
];

test.each(losses)(
  '%s lost with the power: what is saved takes the place of what is left',
  async (_, lose) => {
    const { bot, dir, saved } = await restored();
    await using _bot = bot;
    lose(dir);
    rebooted(dir, (Date.now() + 1000) * 1000);
    const { report } = await bot.start('b');
    expect(report).toMatchObject({ kept: false, sequence: 1 });
    expect(treeOf(dir)).toEqual(saved);
    expect(bot.warnings).toEqual([expect.stringContaining('lost writes when the machine went down')]);
  },
);

test.each(losses)('%s lost: a daemon of its own does not go on with it', async (_, lose) => {
  const { bot, dir } = await restored();
  await using _bot = bot;
  lose(dir);
  rebooted(dir, (Date.now() + 1000) * 1000);
  const options = { holder: 'sidecar', dir, signal };
  await expect(claimLocal(bot.context(), options)).rejects.toMatchObject({ code: 'refused' });
});

test.each([
  ...losses,
  [
    'folders that took the place of others',
    (dir: string) => {
      renameSync(join(dir, 'folder/y'), join(dir, 'backup.1/y'));
      renameSync(join(dir, 'backup.1'), join(dir, 'backup.2'));
      renameSync(join(dir, 'folder'), join(dir, 'backup.1'));
    },
  ] satisfies (typeof losses)[number],
])('%s, changed by the bot itself before another boot: kept', async (_, change) => {
  const { bot, dir } = await restored();
  await using _bot = bot;
  const agreedAt = Date.now() * 1000 + 20_000;
  await new Promise((resolve) => setTimeout(resolve, 50));
  change(dir);
  const newer = treeOf(dir);
  rebooted(dir, agreedAt);
  expect((await bot.start('b')).report.kept).toBe(true);
  expect(treeOf(dir)).toEqual(newer);
  expect(bot.warnings).toEqual([]);
});

test('what was written long before is on the disk, and is not read again', async () => {
  const { bot, dir } = await restored();
  await using _bot = bot;
  loseBlocks(join(dir, 'folder/y'));
  rebooted(dir, (Date.now() + 11 * 60_000) * 1000);
  expect((await bot.start('b')).report.kept).toBe(true);
});

test('nothing lost: kept, after any boot', async () => {
  const { bot, dir, saved } = await restored();
  await using _bot = bot;
  rebooted(dir, (Date.now() + 1000) * 1000);
  expect((await bot.start('b')).report.kept).toBe(true);
  expect(treeOf(dir)).toEqual(saved);
  rebooted(dir, 0);
  expect((await claimLocal(bot.context(), { holder: 'sidecar', dir, signal })).generation).toBe(4);
});

test('what was published of a tree is as good as what was restored', async () => {
  const { bot, dir } = await restored();
  await using _bot = bot;
  const { publisher } = await bot.start('b');
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeFileSync(join(dir, 'new'), 'published');
  await publisher.publish({ signal });
  const marker = JSON.parse(readFileSync(join(dir, '.runtime-sync'), 'utf8'));
  const again = await bot.start('b');
  expect(again.report.kept).toBe(true);
  // Until the publish began, not only until the restore ended.
  expect(again.report.tree.restoredAt).toBeGreaterThan(marker.restoredAt);
  expect(again.report.tree.restoredAt).toBeLessThan(statSync(join(dir, 'new')).ctimeMs * 1000 + SECOND);
});
