import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { holdDisks, tryDisk } from '../../../../src/host/data/holdDisks.ts';
import { canMountDisk } from '../../../support/container/mountDisk.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { unmountBelow } from '../../../support/files/unmountBelow.ts';

const MiB = 2 ** 20;
const sbin = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const user = { uid: 65_534, gid: 65_534 };

async function dataFolder() {
  const data = await temporaryDirectory();
  onTestFinished(() => unmountBelow(data));
  return createFolders(data, true);
}

test.skipIf(!canMountDisk)(
  'a disk ends at its size, and is the same one after it was unmounted',
  async () => {
    const folders = await dataFolder();
    const disks = holdDisks(folders, 'own');
    const { state, the0, disk } = folders.bot('a');
    await Promise.all([disks.hold('a', 20 * MiB, user), disks.hold('a', 20 * MiB, user)]);
    expect([statSync(state).uid, statSync(the0).uid]).toEqual([user.uid, user.uid]);
    expect(() => writeFileSync(join(state, 'big'), Buffer.alloc(21 * MiB))).toThrow(/ENOSPC/);
    writeFileSync(join(state, 'big'), 'small');
    expect(disks.used('a')).toBeLessThan(8 * MiB);

    await disks.release('a');
    expect([existsSync(disk), disks.used('a')]).toEqual([false, undefined]);
    await disks.hold('a', 20 * MiB, user);
    expect(readFileSync(join(state, 'big'), 'utf8')).toBe('small');
    // A server that knows nothing of it finds it.
    await holdDisks(folders, 'own').hold('a', 20 * MiB, user);
    expect(readdirSync(state)).toEqual(['big']);
  },
);

test.skipIf(!canMountDisk)(
  'a disk has its room on the host from the beginning, or there is none of its own',
  async () => {
    const folders = await dataFolder();
    await holdDisks(folders, 'own').hold('a', 20 * MiB, user);
    expect(statSync(folders.bot('a').diskFile).blocks * 512).toBeGreaterThanOrEqual(20 * MiB);

    const auto = holdDisks(folders, 'auto');
    const { blocks, bsize } = statfsSync(folders.data);
    const tooMuch = blocks * bsize;
    await auto.hold('b', tooMuch, user);
    expect([auto.used('b'), existsSync(folders.bot('b').state)]).toEqual([undefined, true]);
    await expect(holdDisks(folders, 'own').hold('c', tooMuch, user)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('No space left'),
    });
    // What would fit, and leave the host without what it needs to start anything.
    const { bavail } = statfsSync(folders.data);
    const allButLittle = Math.max((bavail - blocks / 20) * bsize, 20 * MiB);
    await expect(holdDisks(folders, 'own').hold('c', allButLittle, user)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('a tenth'),
    });
    expect([existsSync(folders.bot('b').diskFile), existsSync(folders.bot('c').diskFile)]).toEqual([
      false,
      false,
    ]);
  },
);

test.skipIf(!canMountDisk)(
  'what was written where no disk could be held is not covered by an empty one',
  async () => {
    const folders = await dataFolder();
    await holdDisks(folders, 'watched').hold('a', 20 * MiB, user);
    const { state, diskFile } = folders.bot('a');
    writeFileSync(join(state, 'mine'), 'mine');
    await holdDisks(folders, 'own').hold('a', 20 * MiB, user);
    expect([existsSync(diskFile), readFileSync(join(state, 'mine'), 'utf8')]).toEqual([false, 'mine']);
  },
);

/** The error that the kernel itself makes for tests, where it may be asked for one; else it only becomes read-only. */
function breakDisk(disk: string): void {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((one) => one.includes(` ${disk} `));
  const device = / ext4 \/dev\/(\S+) /.exec(line ?? '')?.[1];
  try {
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'of a test');
  } catch {
    execFileSync('mount', ['-o', 'remount,ro', disk]);
  }
}

test.skipIf(!canMountDisk)(
  'a disk that an error has made read-only is looked at and written to again by the next start',
  async () => {
    const folders = await dataFolder();
    const disks = holdDisks(folders, 'own');
    const { state, disk } = folders.bot('a');
    await disks.hold('a', 20 * MiB, user);
    writeFileSync(join(state, 'mine'), 'mine');
    execFileSync('sync', ['--file-system', disk]);
    breakDisk(disk);
    expect(() => writeFileSync(join(state, 'more'), 'more')).toThrow(/EROFS/);
    await disks.hold('a', 20 * MiB, user);
    writeFileSync(join(state, 'more'), 'more');
    expect(readdirSync(state).map((name) => readFileSync(join(state, name), 'utf8'))).toEqual([
      'mine',
      'more',
    ]);
  },
);

test.skipIf(!canMountDisk)(
  'a disk that cannot be mended without losing something is not started from, and has it still',
  async () => {
    const folders = await dataFolder();
    const disks = holdDisks(folders, 'own');
    const { state, disk, diskFile } = folders.bot('a');
    await disks.hold('a', 20 * MiB, user);
    const written = 'mine '.repeat(1_000);
    writeFileSync(join(state, 'mine'), written);
    await disks.release('a');
    const change = (request: string) =>
      execFileSync('debugfs', ['-w', '-R', request, diskFile], { stdio: 'ignore', env: sbin });
    // Its root is gone, and it says that there was an error.
    change('clri <2>');
    change('set_super_value state 2');
    await expect(disks.hold('a', 20 * MiB, user)).rejects.toMatchObject({
      code: 'unavailable',
      op: 'disk.hold',
      message: expect.stringContaining('UNEXPECTED INCONSISTENCY'),
    });
    expect([readFileSync(diskFile).includes(written), readdirSync(disk)]).toEqual([true, []]);
  },
);

test.skipIf(!canMountDisk)('a try leaves nothing, whatever the look at it says', async () => {
  const { data } = await dataFolder();
  expect(await tryDisk(data, () => undefined)).toBeUndefined();
  expect(await tryDisk(data, () => 'not seen')).toBe('not seen');
  expect(readdirSync(data)).toEqual([]);
});

test.skipIf(!canMountDisk)('a try that was killed half-way is no end of the next', async () => {
  const { data } = await dataFolder();
  let killed = true;
  const look = () => {
    if (killed) throw new Error('killed');
    return undefined;
  };
  expect(await tryDisk(data, look)).toBe('killed');
  expect(readdirSync(data)).toEqual(['disk-try']);
  killed = false;
  expect(await tryDisk(data, look)).toBeUndefined();
  expect(readdirSync(data)).toEqual([]);
});

test('without what it takes a try says why', async () => {
  const { data } = await dataFolder();
  mkdirSync(join(data, 'disk-try.img.new'));
  expect(await tryDisk(data, () => undefined)).toMatch(/\S/);
});
