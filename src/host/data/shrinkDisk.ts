import { existsSync, statSync } from 'node:fs';
import { runTool } from './runTool.ts';

/**
 * Gives the host what a disk that lies in the trash does not use: its file gets holes, and keeps all that is on the disk. Nothing may have it
 * mounted. It is a check of the whole file system, so one that is damaged stays as it is. Whoever is killed over it has done part of it.
 * Nothing happens where there is no such file, or where it has holes already. Throws `unavailable`.
 */
export async function shrinkDisk(file: string): Promise<void> {
  if (!existsSync(file) || !isWhole(file)) return;
  await runTool('e2fsck', ['-p', '-f', '-E', 'discard', file]);
}

const BLOCK = 512;

/** All of it has its room. */
function isWhole(file: string): boolean {
  const { blocks, size } = statSync(file);
  return blocks * BLOCK >= size;
}
