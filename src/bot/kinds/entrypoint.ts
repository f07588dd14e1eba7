import { readdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';

// On the way to every bot's start, where `node:fs/promises` and its threads cost 2 ms.
const realpath = async (path: string) => realpathSync.native(path);
const stat = async (path: string) => statSync(path);
const readdir = async (path: string) => readdirSync(path);

/** Names in a hint. */
const SHOWN_NAMES = 10;

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

/**
 * The entrypoint's real path: a regular file inside the code path, symlinks resolved; else `no-entrypoint`, or `not-executable` for
 * what is not a file.
 */
export async function resolveEntrypoint(codePath: string, entrypoint: string): Promise<string> {
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
        hint: await hint(codePath, entrypoint),
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

async function hint(codePath: string, entrypoint: string): Promise<string> {
  const names = await readdir(codePath).catch(() => []);
  if (names.length === 0) return `${codePath} is empty: set CODE_FILE, or mount the code there.`;
  const { suggest } = await import('../../base/parts/suggest.ts');
  const meant = suggest(entrypoint, names);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  const shown = names.sort().slice(0, SHOWN_NAMES).join(', ');
  return `There are: ${shown}${names.length > SHOWN_NAMES ? ', …' : ''}`;
}
