import { resolve } from 'node:path';
import type { Command } from '../../../base/command/command.ts';
import { loadPolicy } from '../../../host/sandboxes/policy/followPolicy.ts';
import type { Rules } from '../../../host/sandboxes/policy/policy.ts';
import { MAIN_KEY } from '../access/keyFile.ts';

export const policy: Command = {
  name: 'policy',
  summary: 'check a policy, and show what it gives a key',
  positionals: 'FILE [KEY]',
  options: {},
  details: [
    'Prints the rules of KEY, in the words of the file, with what it leaves to the usual rules. Without KEY those of',
    `${MAIN_KEY}, the key of RUNTIME_SERVE_KEY. Nothing is changed; a server that follows FILE takes a change by itself.`,
    '',
    'Exit codes: 0 it can be used, 78 it cannot.',
  ].join('\n'),
  run: async ({ positionals, cwd, stdout }) => {
    const [file = '', key = MAIN_KEY] = positionals;
    const rules = loadPolicy(resolve(cwd, file)).rulesOf(key);
    stdout.write(`${JSON.stringify(inWordsOfTheFile(rules), undefined, 2)}\n`);
    return 0;
  },
};

function inWordsOfTheFile({ resources, ...rules }: Rules): object {
  const { cpuMillis, memoryBytes, diskBytes, lifetimeMs, idleMs, sandboxes } = resources;
  return {
    ...rules,
    resources: {
      cpuCores: cpuMillis / 1000,
      memoryMB: memoryBytes / 2 ** 20,
      diskGB: diskBytes / 2 ** 30,
      maxLifetimeSeconds: lifetimeMs / 1000,
      idleTimeoutSeconds: idleMs / 1000,
      sandboxes,
    },
  };
}
