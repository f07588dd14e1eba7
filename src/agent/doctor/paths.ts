import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { type Finding, fail, ok } from '../../base/finding.ts';
import type { Config } from '../../bot/config/config.ts';
import { botMay } from './asUser.ts';
import type { Check } from './check.ts';

/** Code, state and logs can be written by us, and reached by the bot. */
export const paths: Check = {
  name: 'paths',
  async run({ config, inPlace }) {
    const { code, state, logs } = config.paths;
    return [
      isTakenAsItIs(config)
        ? ok('CODE_PATH', `${code} cannot be written to, and has the code already`)
        : await place('CODE_PATH', code, config.user, inPlace),
      await place('STATE_PATH', state, config.user, inPlace),
      ours('LOGS_PATH', logs, inPlace),
    ];
  },
};

/** Code that is there already needs no room, as long as nothing has to be given to the bot's user. */
function isTakenAsItIs({ code, paths, user }: Config): boolean {
  const found = code.file === undefined ? statSync(paths.code, { throwIfNoEntry: false }) : undefined;
  if (!found?.isDirectory() || may(paths.code, constants.W_OK)) return false;
  const isTheirs = user === undefined || (found.uid === user.uid && (found.mode & 0o002) === 0);
  return isTheirs && may(paths.code, constants.R_OK | constants.X_OK);
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function place(name: string, path: string, user: Config['user'], inPlace: boolean): Promise<Finding> {
  const found = ours(name, path, inPlace);
  if (found.status !== 'ok' || user === undefined) return found;
  const above = nearest(dirname(path));
  if ((await botMay(user, '-x', above)) !== false) return found;
  return fail(
    name,
    new RuntimeError('config', `the bot's user ${user.uid}:${user.gid} cannot reach ${path}`, {
      hint: `${above} does not let it through: chmod o+x, or set another ${name}.`,
    }),
  );
}

/** The folder is there, or can be made, and takes files. */
function ours(name: string, path: string, inPlace: boolean): Finding {
  const existing = nearest(path);
  if (!statSync(existing).isDirectory()) {
    const hint = 'Take it away, or name another path.';
    return fail(name, new RuntimeError('config', `${existing} is not a folder`, { hint }));
  }
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    return ok(name, existing === path ? `${path} is writable` : `${path} can be created`);
  } catch (error) {
    const text = `${path} cannot be ${existing === path ? 'written to' : 'made'} (${systemCode(error)})`;
    const hint = inPlace
      ? 'Store, state and logs of a bot that runs in place are kept in its folder: make that writable.'
      : 'With a read-only root file system, mount a volume or a tmpfs there.';
    return fail(name, new RuntimeError('config', text, { hint }));
  }
}

function nearest(path: string): string {
  return existsSync(path) || path === '/' ? path : nearest(dirname(path));
}
