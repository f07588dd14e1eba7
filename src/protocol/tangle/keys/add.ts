import { randomBytes } from 'node:crypto';
import type { Command } from '../../../base/command/command.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { digest } from '../access/access.ts';
import { SCOPES, type Scope } from '../access/caller.ts';
import { changeKeys } from '../access/changeKeys.ts';
import { KEY_NAME, MAIN_KEY } from '../access/keyFile.ts';
import { dataOption, keyFileOf } from './keyWords.ts';

const USUAL = 'read,write,runtime,sessions,secrets';
const DAY_MS = 86_400_000;

export const add: Command = {
  name: 'add',
  summary: 'make a key; it is printed once',
  positionals: 'NAME',
  options: {
    scope: { type: 'string', description: `what it may do, of ${SCOPES.join(',')} (${USUAL})` },
    days: { type: 'string', description: 'after so many days it is void' },
    ...dataOption,
  },
  details:
    'Only a hash of it is kept. A server that runs knows it from its next call on. Sandboxes belong to the key that made them.',
  run: async (invocation) => {
    const { positionals, flags, stdout } = invocation;
    const [name = ''] = positionals;
    if (!KEY_NAME.test(name) || name === MAIN_KEY)
      throw new RuntimeError('usage', `${JSON.stringify(name)} is no name for a key`, {
        hint: `Small letters, digits and "-"; ${MAIN_KEY} is the key of RUNTIME_SERVE_KEY.`,
      });
    const scopes = readScopes(typeof flags.scope === 'string' ? flags.scope : USUAL);
    const expiresAt = readDays(flags.days);
    const token = `sk_sandbox_${randomBytes(32).toString('base64url')}`;
    await changeKeys(keyFileOf(invocation), (keys) => {
      if (keys.some((key) => key.name === name))
        throw new RuntimeError('refused', `there is a key ${name} already`, {
          hint: 'runtime serve keys rm takes it back.',
        });
      return [
        ...keys,
        { name, scopes, sha256: digest(token).toString('hex'), createdAt: Date.now(), expiresAt },
      ];
    });
    stdout.write(`${token}\n`);
    return 0;
  },
};

function readScopes(text: string): Scope[] {
  const named = text.split(',').map((word) => word.trim());
  const wrong = named.filter((word) => !(SCOPES as readonly string[]).includes(word));
  if (wrong.length > 0)
    throw new RuntimeError('usage', `--scope ${wrong.join(',')}: expected some of ${SCOPES.join(',')}`);
  return named as Scope[];
}

function readDays(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^[1-9]\d{0,4}$/.test(value))
    throw new RuntimeError('usage', `--days ${String(value)}: expected a number of days`);
  return Date.now() + Number(value) * DAY_MS;
}
