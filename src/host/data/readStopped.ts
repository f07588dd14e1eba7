import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { Folders } from './folders.ts';

const MAX_BYTES = 64 * 1024;

/**
 * What the last instance of a bot says in `exit.json`: it ended after a SIGTERM. False where it says nothing. The folder is the
 * bot's: what lies there may be anything.
 */
export function readStopped(folders: Folders, bot: string): boolean {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(join(folders.bot(bot).the0, 'exit.json'), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const stat = fstatSync(file);
    const text = stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(file, 'utf8') : '';
    const record = parseJson(text);
    return isObject(record) && record.stopped === true;
  } finally {
    closeSync(file);
  }
}
