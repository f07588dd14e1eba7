import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verify } from '../../../src/bot/state/history/verify.ts';
import { listSnapshots } from '../../../src/bot/state/read/snapshots.ts';
import { canMountDisk, mountDisk } from '../../support/container/mountDisk.ts';
import { asUser, isRoot } from '../../support/process/asUser.ts';
import { signal, TestBot } from '../../unit/bot/state/support/bot.ts';
import { treeOf } from '../../unit/bot/state/support/treeOf.ts';

const MiB = 1024 * 1024;
test.runIf(isRoot).each([
  ['a file', 'folder/file'],
  ['a folder', 'folder'],
  ['the state itself', ''],
])(
  '%s that cannot be read: the last snapshot stands, and with the right back all is saved',
  async (_, name) => {
    await using bot = await TestBot.open();
    await asUser(bot.path, async () => {
      const { dir, publisher } = await bot.start('a');
      mkdirSync(join(dir, 'folder'));
      writeFileSync(join(dir, 'folder/file'), 'first');
      await publisher.publish({ signal });
      const saved = treeOf(dir);
      writeFileSync(join(dir, 'folder/file'), 'second');
      writeFileSync(join(dir, 'other'), 'other');
      const path = join(dir, name);
      const { mode } = statSync(path);
      chmodSync(path, 0);
      for (let look = 0; look < 2; look += 1) {
        await expect(publisher.publish({ signal })).rejects.toMatchObject({
          code: 'unsaved',
          message: expect.stringContaining(`the state at ${path} cannot be read: EACCES`),
          hint: expect.stringContaining('last snapshot stays'),
        });
      }
      expect((await verify(bot.context(), { signal })).problems).toEqual([]);
      chmodSync(path, mode);
      expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2, files: 2 });
      expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
      expect(treeOf(dir)).not.toEqual(saved);
    });
  },
);

test.runIf(isRoot)('a marker that the bot has closed is no reason to stop', async () => {
  await using bot = await TestBot.open();
  await asUser(bot.path, async () => {
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'file'), 'first');
    chmodSync(join(dir, '.runtime-sync'), 0);
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1 });
    writeFileSync(join(dir, 'file'), 'second');
    expect((await bot.start('a')).report.kept).toBe(true);
    chmodSync(join(dir, '.runtime-sync'), 0);
    expect((await bot.start('a')).report).toMatchObject({ kept: false, sequence: 1 });
    expect(bot.warnings).toEqual([]);
  });
});

test.runIf(canMountDisk)('a disk that fails while it is read: the last snapshot stands', async () => {
  await using bot = await TestBot.open();
  using disk = mountDisk(bot.dir('disk'), bot.dir('disk.img'));
  const { dir, publisher } = await bot.start('disk/state');
  const large = join(dir, 'large');
  writeFileSync(large, Buffer.alloc(24 * MiB, 'first'));
  await publisher.publish({ signal });
  writeFileSync(large, Buffer.alloc(25 * MiB, 'second'));
  disk.breakBehind(16 * MiB, large);
  for (let look = 0; look < 2; look += 1) {
    await expect(publisher.publish({ signal })).rejects.toMatchObject({
      code: 'unsaved',
      message: `the state at ${large} cannot be read: EIO`,
    });
  }
  expect((await listSnapshots(bot.context(), signal)).length).toBe(1);
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
  disk.repair();
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
  publisher.close();
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(dir));
});
