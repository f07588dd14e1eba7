import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../../bot/config/config.ts';

/** Whether `test FLAG PATH` (`-r`, `-w`, `-x`) holds for the user that the bot runs as. */
export async function botMay(user: Config['user'], flag: '-r' | '-w' | '-x', path: string): Promise<boolean> {
  return promisify(execFile)('/bin/sh', ['-c', `test ${flag} "$1"`, 'sh', path], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
