import type { Command } from '../../../base/command/command.ts';
import { readKeyFile } from '../access/keyFile.ts';
import { dataOption, keyFileOf } from './keyWords.ts';

export const ls: Command = {
  name: 'ls',
  summary: 'all keys, by name',
  positionals: '',
  options: { json: { type: 'boolean', description: 'as JSON' }, ...dataOption },
  run: async (invocation) => {
    const keys = readKeyFile(keyFileOf(invocation)).map(({ name, scopes, createdAt, expiresAt }) => ({
      name,
      scopes,
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
    }));
    if (invocation.flags.json === true) invocation.stdout.write(`${JSON.stringify(keys)}\n`);
    else
      for (const { name, scopes, createdAt, expiresAt } of keys)
        invocation.stdout.write(
          `${name.padEnd(24)} ${scopes.join(',').padEnd(40)} ${createdAt}${expiresAt === undefined ? '' : ` until ${expiresAt}`}\n`,
        );
    return 0;
  },
};
