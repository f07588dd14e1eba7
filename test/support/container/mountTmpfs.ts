import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Root in a container may not. */
export const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0 && process.getuid?.() === 0;

/** A small file system of its own at `dir`; gone with `using`. */
export function mountTmpfs(
  dir: string,
  bytes: number,
): Disposable & { resize(bytes: number): void; remount(options: string): void } {
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir]);
  return {
    resize: (to) => void execFileSync('mount', ['-o', `remount,size=${to}`, dir]),
    remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, dir]),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', dir]),
  };
}
