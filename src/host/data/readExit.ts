import { join } from 'node:path';
import { readRegularFile } from '../../base/readRegularFile.ts';
import { isObject, parseJson } from '../../bot/config/parsers.ts';
import type { BotFolders } from './folders.ts';

const MAX_BYTES = 64 * 1024;

/** What the last instance of a bot says in `exit.json`; undefined: nothing. The folder is the bot's: what lies there may be anything. */
export function readExit({ the0 }: Pick<BotFolders, 'the0'>): Readonly<Record<string, unknown>> | undefined {
  const record = parseJson(readRegularFile(join(the0, 'exit.json'), MAX_BYTES) ?? '');
  return isObject(record) ? record : undefined;
}
