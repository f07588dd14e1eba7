import { join } from 'node:path';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { Folders } from './folders.ts';

const MAX_BYTES = 64 * 1024;

/**
 * What the last instance of a bot says in `exit.json`: it ended after a SIGTERM. False where it says nothing. The folder is the
 * bot's: what lies there may be anything.
 */
export function readStopped(folders: Folders, bot: string): boolean {
  const record = parseJson(readRegularFile(join(folders.bot(bot).the0, 'exit.json'), MAX_BYTES) ?? '');
  return isObject(record) && record.stopped === true;
}
