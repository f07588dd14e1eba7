import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { Folders } from './folders.ts';

const MAX_BYTES = 64 * 1024;

/**
 * Whether the last instance of a bot says in `exit.json` that its state was saved, or there is nothing of it. Its folder is the bot's: one that
 * lies there loses what is its own. False where nobody can see: its disk is not mounted.
 */
export function readSaved(folders: Folders, bot: string): boolean {
  const { the0, state, diskFile } = folders.bot(bot);
  const record = parseJson(readRegularFile(join(the0, 'exit.json'), MAX_BYTES) ?? '');
  if (isObject(record) && record.stateSaved === true) return true;
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
