import { existsSync, readdirSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import type { Folders } from './folders.ts';
import { readExit } from './readExit.ts';

/**
 * Whether the last instance of a bot says in `exit.json` that its state was saved, or there is nothing of it. Its folder is the bot's: one that
 * lies there loses what is its own. False where nobody can see: its disk is not mounted.
 */
export function readSaved(folders: Folders, bot: string): boolean {
  const { the0, state, diskFile } = folders.bot(bot);
  if (readExit({ the0 })?.stateSaved === true) return true;
  const isUnmounted = existsSync(diskFile) && !existsSync(the0);
  return !isUnmounted && isEmpty(state);
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}
