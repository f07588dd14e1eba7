import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';

// On the way to every bot's start, where `node:fs/promises` and its threads cost 2 ms.
const realpath = async (path: string) => realpathSync.native(path);
const stat = async (path: string) => statSync(path);

/** Throws `config` unless the path is relative and cannot leave the code path by its text. */
export function checkRelative(entrypoint: string): void {
  const bad =
    entrypoint === '' ||
    entrypoint.includes('\0') ||
    isAbsolute(entrypoint) ||
    entrypoint.split('/').includes('..');
  if (!bad) return;
  throw new RuntimeError('config', `entrypoint ${JSON.stringify(entrypoint)} is not inside the code path`, {
    path: entrypoint,
    hint: 'Name a file relative to CODE_PATH, without "..".',
  });
}

/** Of kinds whose entrypoint is made from source code: where it is not there, it may not have been built. */
export const BUILT = { isBuilt: true } as const;

/**
 * The entrypoint's real path: a regular file inside the code path, symlinks resolved; else `no-entrypoint`, or `not-executable` for
 * what is not a file.
 */
export async function resolveEntrypoint(
  codePath: string,
  entrypoint: string,
  { isBuilt }: { readonly isBuilt: boolean } = { isBuilt: false },
): Promise<string> {
  checkRelative(entrypoint);
  const path = join(codePath, entrypoint);
  const [root, real] = await Promise.all([realpath(codePath), realpath(path)]).catch(
    async (cause: unknown) => {
      const code = systemCode(cause);
      if (code === 'EACCES') {
        throw new RuntimeError(
          'not-executable',
          `entrypoint ${entrypoint} is out of reach: permission denied`,
          {
            path,
            hint: `Every folder from ${codePath} down to it has to be searchable (mode x) for the user that runs this.`,
            cause,
          },
        );
      }
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw cause;
      throw new RuntimeError('no-entrypoint', `entrypoint ${entrypoint} does not exist in ${codePath}`, {
        path,
        hint: (await import('./parts/missingEntrypoint.ts')).missingEntrypoint(codePath, entrypoint, isBuilt),
        cause,
      });
    },
  );
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new RuntimeError('no-entrypoint', `entrypoint ${entrypoint} is a link that leaves ${codePath}`, {
      path,
    });
  }
  if (!(await stat(real)).isFile()) {
    // As every shell has it.
    throw new RuntimeError('not-executable', `entrypoint ${entrypoint} is not a file`, {
      path,
      hint: 'Name the program itself.',
    });
  }
  return real;
}
