import { constants } from 'node:fs';
import { access, chmod, chown, lstat, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import type { Owner } from '../../../base/owner.ts';
import { MAX_ANSWER_BYTES } from '../../../bot/answers/answer.ts';
import { fromText } from '../../../bot/state/format/entryPath.ts';
import { removeTree } from '../../../bot/state/local/removeTree.ts';

const NAME = 'result.json';

/** Makes the directory for the program's user. Throws `config` where it cannot be created or written. */
export async function makeResultDir(dir: string, user: Owner | undefined): Promise<void> {
  try {
    await mkdir(dir).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
    if (!(await lstat(dir)).isDirectory()) throw new Error('it is not a directory');
    if (user === undefined) await access(dir, constants.W_OK | constants.X_OK);
    else {
      await chmod(dir, 0o700).catch((error: unknown) => {
        // Root without CAP_FOWNER, in an image that has given it to the bot: it is then as open as the image has it.
        if (systemCode(error) !== 'EPERM') throw error;
      });
      await chown(dir, user.uid, user.gid);
    }
  } catch (error) {
    throw new RuntimeError('config', `${dir} cannot be created: ${(error as Error).message}`, {
      op: 'query.prepare',
      path: dir,
      cause: error,
    });
  }
}

/** An answer that was there before is not this query's; nor is a folder that a program has left in its place. */
export async function clearResult(dir: string): Promise<void> {
  const path = join(dir, NAME);
  await unlink(path).catch((error: unknown) => {
    const code = systemCode(error);
    if (code === 'EISDIR') removeTree(fromText(path));
    else if (code !== 'ENOENT') throw error;
  });
}

/**
 * The result's bytes, or in words why there are none. Untrusted code wrote it, and we may be root: no link is followed,
 * nothing but a regular file of one name is read, and only so much.
 */
export async function readResult(dir: string): Promise<Buffer | string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await using file = await open(join(dir, NAME), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const info = await file.stat();
    if (!info.isFile() || info.nlink !== 1) return `its ${NAME} is not an ordinary file`;
    if (info.size > MAX_ANSWER_BYTES) return `its ${NAME} is larger than ${MAX_ANSWER_BYTES} bytes`;
    const bytes = Buffer.alloc(info.size);
    const { bytesRead } = await file.read(bytes, 0, info.size, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return `it left no ${NAME}`;
    return `its ${NAME} cannot be read (${systemCode(error)})`;
  }
}
