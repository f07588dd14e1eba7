import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFolders } from '../../../../src/host/data/folders.ts';
import { holdDisks } from '../../../../src/host/data/holdDisks.ts';
import { shrinkDisk } from '../../../../src/host/data/shrinkDisk.ts';
import { canMountDisk } from '../../../support/container/mountDisk.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { unmountBelow } from '../../../support/files/unmountBelow.ts';

const MiB = 2 ** 20;
const user = { uid: 65_534, gid: 65_534 };
const taken = (file: string) => statSync(file).blocks * 512;

test.skipIf(!canMountDisk)('a disk that is shrunk takes what is on it, and has it still', async () => {
  const data = await temporaryDirectory();
  onTestFinished(() => unmountBelow(data));
  const folders = createFolders(data, true);
  const disks = holdDisks(folders, 'own');
  const { state, diskFile } = folders.bot('a');
  await disks.hold('a', 64 * MiB, user);
  const written = Buffer.alloc(5 * MiB, 'written');
  writeFileSync(join(state, 'kept'), written);
  await disks.release('a');
  // Negative control: being unmounted gives nothing back.
  expect(taken(diskFile)).toBeGreaterThanOrEqual(64 * MiB);

  await shrinkDisk(diskFile);
  // The journal has 4 MiB.
  expect(taken(diskFile)).toBeLessThan(16 * MiB);
  expect(statSync(diskFile).size).toBe(64 * MiB);
  await shrinkDisk(diskFile);
  await disks.hold('a', 64 * MiB, user);
  expect(readFileSync(join(state, 'kept')).equals(written)).toBe(true);
});

test('what is no file system stays as it is, and what is not there is none', async () => {
  const folder = await temporaryDirectory();
  const file = join(folder, 'disk.img');
  await shrinkDisk(file);
  const bytes = Buffer.alloc(MiB, 'no file system');
  writeFileSync(file, bytes);
  await expect(shrinkDisk(file)).rejects.toMatchObject({ code: 'unavailable', op: 'disk.hold' });
  expect(readFileSync(file).equals(bytes)).toBe(true);
  // With holes already: nobody has to look at it.
  truncateSync(file, 2 * MiB);
  await shrinkDisk(file);
});
