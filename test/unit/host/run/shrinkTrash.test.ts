import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { shrinkTrash } from '../../../../src/host/run/shrinkTrash.ts';
import { canMountDisk } from '../../../support/container/mountDisk.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const MiB = 2 ** 20;
const HOUR_MS = 3_600_000;
const taken = (file: string) => statSync(file).blocks * 512;

test.skipIf(!canMountDisk)(
  'disks that somebody has left whole in the trash are shrunk, each tried once',
  async () => {
    const folders = createFolders(await temporaryDirectory(), true);
    const { trash } = folders;
    const of = (name: string) => join(trash, name);
    mkdirSync(of('1-forgotten'), { recursive: true });
    mkdirSync(of('1-without'));
    const [forgotten, rolledBack] = [of('1-forgotten/disk.img'), of('1-a-disk.img')];
    for (const file of [forgotten, rolledBack]) {
      writeFileSync(file, Buffer.alloc(64 * MiB));
      execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'nodiscard', file], {
        env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      });
    }
    writeFileSync(of('1-damaged-disk.img'), Buffer.alloc(MiB, 'damaged'));
    const { log, lines } = memoryLog();
    const now = Date.now();

    // Whoever puts them there may still be about it.
    expect(await shrinkTrash(folders, new Set(), now, log)).toEqual(new Set());
    expect([taken(forgotten), taken(rolledBack)].every((bytes) => bytes >= 64 * MiB)).toBe(true);

    const tried = await shrinkTrash(folders, new Set(), now + HOUR_MS, log);
    expect(taken(forgotten)).toBeLessThan(16 * MiB);
    expect(taken(rolledBack)).toBeLessThan(16 * MiB);
    expect(tried.size).toBe(4);
    const told = lines.filter((line) => line.includes('1-damaged-disk.img'));
    expect(told).toHaveLength(1);
    renameSync(rolledBack, join(folders.data, 'taken-away'));
    expect((await shrinkTrash(folders, tried, now + HOUR_MS, log)).size).toBe(3);
    expect(lines).toHaveLength(1);
  },
);
