import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMountDisk, mountDisk } from '../../support/container/mountDisk.ts';
import { signal, TestBot } from '../../unit/bot/state/support/bot.ts';
import { treeOf } from '../../unit/bot/state/support/treeOf.ts';

const MiB = 1024 * 1024;

/** As happens by itself every few seconds: names, sizes and times reach the disk, long before all contents do. */
function commitJournal(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

test.runIf(canMountDisk)(
  'the power fails right behind a restore: the next start has what is saved',
  async () => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'large'), Buffer.alloc(3 * MiB, 'large'));
    writeFileSync(join(dir, 'small'), Buffer.alloc(100_000, 'small'));
    await publisher.publish({ signal });
    const saved = treeOf(dir);

    using disk = mountDisk(bot.dir('disk'), bot.dir('disk.img'));
    const restored = await bot.start('disk/state');
    expect(treeOf(restored.dir)).toEqual(saved);
    restored.publisher.close();
    commitJournal(join(restored.dir, '.runtime-sync'));
    disk.cutPower();
    // The marker says that all is there, and it is not.
    const marker = join(restored.dir, '.runtime-sync');
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
