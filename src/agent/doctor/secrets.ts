import { accessSync, constants } from 'node:fs';
import { type Finding, ok, warn } from '../../base/finding.ts';
import type { Config } from '../../bot/config/config.ts';
import { type VariableName, variables } from '../../bot/config/variables.ts';
import { botMay } from './asUser.ts';
import type { Check } from './check.ts';

/** Bot code can read neither our memory nor the files that the credentials come from. */
export const secrets: Check = {
  name: 'secrets',
  async run({ config, env, uid, inPlace }) {
    const findings: Finding[] = [inPlace ? inPlaceFinding(config.store) : memory(uid, config.user)];
    for (const name of Object.keys(variables) as VariableName[]) {
      const file = variables[name].shown === 'secret' ? env[`${name}_FILE`] : undefined;
      if (file === undefined) continue;
      findings.push(
        (await botMay(config.user, '-r', file))
          ? warn(
              `${name}_FILE`,
              `the bot can read ${file}`,
              inPlace
                ? 'In place it is whoever starts it: use credentials that may do no more than this bot.'
                : 'Start as root, and give the file to root with mode 0400.',
            )
          : ok(`${name}_FILE`, 'closed to the bot'),
      );
    }
    return findings;
  },
};

/** A person's own programs can read whatever that person can. */
function inPlaceFinding({ type }: Config['store']): Finding {
  if (type === 'file') return ok('credentials', 'none: the store is a folder');
  return warn(
    'credentials',
    'in place the bot runs as whoever starts it, and could read the credentials of the store',
    'Use credentials that may do no more than this bot.',
  );
}

function memory(uid: number, user: { readonly uid: number } | undefined): Finding {
  if (uid === 0 && user !== undefined && user.uid !== 0) return ok('credentials', 'the bot is another user');
  if (uid !== 0 && !isReadable(process.execPath)) return ok('credentials', 'the executable is execute-only');
  return warn(
    'credentials',
    'the bot runs as our own user and could read the credentials from our memory',
    uid === 0
      ? 'Leave BOT_USER at its default, or name a user that is not root.'
      : `chown root and chmod 0711 ${process.execPath}: what a user cannot read, it cannot trace.`,
  );
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
