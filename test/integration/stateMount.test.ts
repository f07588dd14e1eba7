import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signal, TestBot } from '../unit/state/support/bot.ts';
import { treeOf } from '../unit/state/support/treeOf.ts';

const isRoot = process.getuid?.() === 0;

/** A small file system of its own at `dir`, for as long as `use` runs. */
async function mounted(dir: string, bytes: number, use: () => Promise<void>): Promise<void> {
  mkdirSync(dir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir]);
  try {
    await use();
  } finally {
    execFileSync('umount', ['-l', dir]);
  }
}

test.runIf(isRoot)('a state directory may be a mount point', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder/x'), Buffer.alloc(100_000, 'x'));
  await publisher.publish({ signal });
  await mounted(bot.dir('b'), 4 * 1024 * 1024, async () => {
    const other = await bot.start('b');
    expect(treeOf(other.dir)).toEqual(treeOf(dir));
    writeFileSync(join(other.dir, 'new'), 'new');
    expect(await other.publisher.publish({ signal })).toMatchObject({ sequence: 2 });
    other.publisher.close();
  });
});

test.runIf(isRoot)(
  'a disk that is full while restoring stops the start and leaves what was there',
  async () => {
    await using bot = await TestBot.open();
    await mounted(bot.dir('small'), 1024 * 1024, async () => {
      const small = await bot.start('small');
      writeFileSync(join(small.dir, 'old'), 'old');
      await small.publisher.publish({ signal });
      small.publisher.close();
      const before = treeOf(small.dir);

      const large = await bot.start('large');
      writeFileSync(join(large.dir, 'large'), Buffer.alloc(3_000_000, 'large'));
      await large.publisher.publish({ signal });

      await expect(bot.start('small')).rejects.toMatchObject({ code: 'unavailable', hint: /disk is full/ });
      expect(treeOf(small.dir)).toEqual(before);
      expect(existsSync(join(small.dir, '.runtime-sync/incoming'))).toBe(false);
    });
  },
);

test.runIf(isRoot)('a volume that is unmounted is no empty state', async () => {
  await using bot = await TestBot.open();
  await mounted(bot.dir('a'), 1024 * 1024, async () => {
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'x');
    await publisher.publish({ signal });
    execFileSync('umount', ['-l', dir]);
    await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
    await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
    publisher.close();
  });
});
