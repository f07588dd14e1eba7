import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signal, TestBot } from '../unit/state/support/bot.ts';
import { treeOf } from '../unit/state/support/treeOf.ts';

const MiB = 1024 * 1024;

/** A file system on a disk of its own, mounted at `dir`; `cutPower` mounts what had reached the disk by then. */
function openDisk(bot: TestBot, dir: string) {
  const image = bot.dir('disk.img');
  writeFileSync(image, '');
  truncateSync(image, 64 * MiB);
  execFileSync('mkfs.ext4', ['-q', image]);
  mkdirSync(dir);
  execFileSync('mount', ['-o', 'loop', image, dir]);
  return {
    cutPower: () => {
      execFileSync('cp', ['--sparse=always', image, `${image}.left`]);
      execFileSync('umount', ['-l', dir]);
      execFileSync('mount', ['-o', 'loop', `${image}.left`, dir]);
    },
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', dir]),
  };
}

/** As happens by itself every few seconds: names, sizes and times reach the disk, long before all contents do. */
function commitJournal(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function canMountDisks(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('losetup', ['--find'], { stdio: 'ignore' });
    execFileSync('which', ['mkfs.ext4'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.runIf(canMountDisks())(
  'the power fails right behind a restore: the next start has what is saved',
  async () => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'large'), Buffer.alloc(3 * MiB, 'large'));
    writeFileSync(join(dir, 'small'), Buffer.alloc(100_000, 'small'));
    await publisher.publish({ signal });
    const saved = treeOf(dir);

    using disk = openDisk(bot, bot.dir('disk'));
    const restored = await bot.start('disk/state');
    expect(treeOf(restored.dir)).toEqual(saved);
    restored.publisher.close();
    commitJournal(join(restored.dir, '.runtime-sync'));
    disk.cutPower();
    // The marker says that all is there, and it is not.
    const marker = join(restored.dir, '.runtime-sync/marker');
    const left = JSON.parse(readFileSync(marker, 'utf8'));
    expect(left).toMatchObject({ complete: true, generation: 2 });
    expect(treeOf(restored.dir)).not.toEqual(saved);

    writeFileSync(marker, JSON.stringify({ ...left, boot: 'the one before' }));
    const again = await bot.start('disk/state');
    again.publisher.close();
    expect(again.report).toMatchObject({ kept: false, sequence: 1 });
    expect(treeOf(again.dir)).toEqual(saved);
  },
);
