import { isRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';

const full = new Set(['ENOSPC', 'EDQUOT']);
const denied = new Set(['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EBUSY', 'ELOOP']);

/**
 * What a failing file system means to an operator: a full disk is `unavailable`, a path that cannot be written is
 * `config`. Anything else is returned as it is.
 */
export function diskError(error: unknown, directory: string): unknown {
  const code = systemCode(error);
  if (isRuntimeError(error) || code === undefined) return error;
  if (full.has(code)) {
    return new RuntimeError('unavailable', `no space left for the bot's code in ${directory}`, {
      op: 'code.unpack',
      path: directory,
      hint: 'Free space there, or give the volume or tmpfs a larger size.',
      cause: error,
    });
  }
  if (denied.has(code)) {
    return new RuntimeError('config', `the bot's code cannot be written to ${directory} (${code})`, {
      op: 'code.unpack',
      path: directory,
      hint: 'CODE_PATH has to be a directory that the runtime can write to: a volume, a tmpfs, or another CODE_PATH.',
      cause: error,
    });
  }
  return error;
}
