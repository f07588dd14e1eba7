import type { Command } from '../../../base/command/command.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { changeKeys } from '../access/changeKeys.ts';
import { dataOption, keyFileOf } from './keyWords.ts';

export const rm: Command = {
  name: 'rm',
  summary: 'take a key back',
  positionals: 'NAME',
  options: { ...dataOption },
  details:
    'It is void at once, and so are the tokens that were given for it. Its sandboxes stay: a key with the scope admin sees them.',
  run: async (invocation) => {
    const [name = ''] = invocation.positionals;
    await changeKeys(keyFileOf(invocation), (keys) => {
      if (!keys.some((key) => key.name === name))
        throw new RuntimeError('not-found', `there is no key ${name}`);
      return keys.filter((key) => key.name !== name);
    });
    return 0;
  },
};
