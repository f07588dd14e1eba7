import { chownSync } from 'node:fs';
import { makeFolders } from '../../base/makeFolders.ts';
import type { BotFolders } from './folders.ts';

/** Makes the folders that a bot writes to: its own, and nobody else's. */
export function makeWritten(
  { state, the0 }: Pick<BotFolders, 'state' | 'the0'>,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): void {
  for (const folder of [state, the0]) {
    makeFolders(folder, 0o700);
    chownSync(folder, uid, gid);
  }
}
