import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../../bot/config/config.ts';
import { lackedCapabilities, TO_RUN } from '../process/capabilities.ts';
import { unmappedUser } from '../process/unmappedUser.ts';

/**
 * Whether `test FLAG PATH` (`-r`, `-w`, `-x`) holds for the user that the bot runs as. Undefined: we cannot become that user, which
 * `capabilities` tells.
 */
export async function botMay(
  user: Config['user'],
  flag: '-r' | '-w' | '-x',
  path: string,
): Promise<boolean | undefined> {
  if (user !== undefined && (lackedCapabilities(TO_RUN).length > 0 || unmappedUser(user))) return undefined;
  return promisify(execFile)('/bin/sh', ['-c', `test ${flag} "$1"`, 'sh', path], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
