import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { canMount } from './mountTmpfs.ts';

const MiB = 1024 * 1024;
const SIZE = 64 * MiB;

export const canMountDisk =
  canMount &&
  [
    ['losetup', '--find'],
    ['mkfs.ext4', '-V'],
  ].every(([command, flag]) => spawnSync(command!, [flag!]).status === 0);

/** A file system (ext4) on a disk of its own, whose contents lie in the file `image`. */
export interface Disk extends Disposable {
  /** From now on `dir` has what had reached the disk by then. */
  cutPower(): void;
  /** Of `file`, what lies behind the first `bytes` of the disk can be read no more; until something is written. */
  breakBehind(bytes: number, file: string): void;
  repair(): void;
}

/** Mounted at `dir` until it is disposed of. */
export function mountDisk(dir: string, image: string): Disk {
  writeFileSync(image, '');
  truncateSync(image, SIZE);
  execFileSync('mkfs.ext4', ['-q', image]);
  mkdirSync(dir);
  const mount = (file: string) => execFileSync('mount', ['-o', 'loop,noatime', file, dir]);
  const unmount = () => execFileSync('umount', [dir]);
  mount(image);
  return {
    cutPower: () => {
      execFileSync('cp', ['--sparse=always', image, `${image}.left`]);
      unmount();
      mount(`${image}.left`);
    },
    breakBehind: (bytes, file) => {
      execFileSync('sync', ['--file-system', dir]);
      copyFileSync(image, `${image}.whole`);
      // Forgets what of it is in memory.
      execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
      truncateSync(image, bytes);
    },
    repair: () =>
      void execFileSync('dd', [`if=${image}.whole`, `of=${image}`, 'bs=1M', 'conv=notrunc', 'status=none']),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', dir]),
  };
}
