import type { OptionSpec } from '../../base/command/command.ts';
import { configOptions } from '../../bot/config/configOptions.ts';

/** The flags of `execute`, whichever program of the executable it is. */
export const executeOptions: Readonly<Record<string, OptionSpec>> = {
  'query-server-only': { type: 'boolean', description: 'only the query server: a sidecar of the bot' },
  pull: {
    type: 'boolean',
    description: 'with --query-server-only: pull code and state first, take no generation, save nothing',
  },
  'await-bot': {
    type: 'boolean',
    description: 'with --pull: which bot it is comes on stdin, and the end of stdin is the end',
  },
  'skip-sync': { type: 'boolean', description: 'a sidecar pulls and saves: run the bot on what is there' },
  'skip-query-server': { type: 'boolean', description: 'a sidecar answers queries' },
  watch: { type: 'boolean', description: 'with DIR: run the bot again when its code changes' },
  'env-file': {
    type: 'string',
    multiple: true,
    value: 'FILE',
    description: 'with DIR: variables, NAME=value; the environment overrides them',
  },
  config: { type: 'string', value: 'FILE|JSON', description: 'with DIR: instead of its config.json' },
  inspect: { type: 'boolean', description: "with DIR: a Node bot under Node's debugger, 127.0.0.1:9229" },
  debugpy: { type: 'string', value: 'PORT', description: 'with DIR: a Python bot under debugpy' },
  ...configOptions(),
};
