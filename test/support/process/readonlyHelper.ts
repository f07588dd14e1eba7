import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const source = join(import.meta.dirname, '../../../images/landlock/readonly.c');

/** Compiles the helper as the images do; `dir` must be one that the program's user can reach. */
export async function readonlyHelper(dir: string): Promise<string> {
  const helper = join(dir, 'readonly');
  await promisify(execFile)('gcc', [
    '-Os',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-static',
    '-s',
    '-o',
    helper,
    source,
  ]);
  await chmod(helper, 0o755);
  return helper;
}
