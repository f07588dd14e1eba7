import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from '../../base/build.ts';
import type { Command } from '../../base/command/command.ts';
import { RuntimeError } from '../../base/errors.ts';
import { configOptions } from '../../bot/config/configOptions.ts';
import { loadBot } from './loadBot.ts';

export const execute: Command = {
  name: 'execute',
  summary:
    "container entrypoint: pull code and state, run the bot, save everything, exit with the bot's code",
  positionals: '[DIR]',
  options: {
    'query-server-only': { type: 'boolean', description: 'only the query server: a sidecar of the bot' },
    pull: {
      type: 'boolean',
      description: 'with --query-server-only: pull code and state first, take no generation, save nothing',
    },
    'skip-sync': { type: 'boolean', description: 'a sidecar pulls and saves: run the bot on what is there' },
    'skip-query-server': { type: 'boolean', description: 'a sidecar answers queries' },
    watch: { type: 'boolean', description: 'with DIR: run the bot again when its code changes' },
    ...configOptions(),
  },
  details: [
    'With DIR, the bot in that directory runs in place: bot.yaml (or bot-config.yaml) and config.json are read',
    'when they are there; store, state and logs lie in DIR/.runtime. Flags beat variables beat files.',
    '',
    "Exit codes: the bot's own; 128+n when signal n ended it; 64 command line, 65 damaged data, 66 no such code,",
    '69 store unavailable, 74 not everything saved, 75 fenced, 77 refused, 78 configuration, 126/127 entrypoint.',
  ].join('\n'),
  run: async (invocation) => {
    const { flags, positionals } = invocation;
    const [dir] = positionals;
    if (flags.watch && dir === undefined) {
      throw new RuntimeError('usage', '--watch needs a DIR', { hint: 'runtime execute --watch DIR' });
    }
    if (flags.pull && !flags['query-server-only']) {
      throw new RuntimeError('usage', '--pull goes with --query-server-only: a bot that runs always pulls');
    }
    if (flags.watch && (flags['query-server-only'] || flags.query !== undefined)) {
      throw new RuntimeError('usage', '--watch runs a bot, which --query and --query-server-only do not');
    }
    if (flags['query-server-only']) {
      const role = flags.pull ? 'pulling-query-server' : 'query-server';
      const bot = await loadBot(invocation, { role, speaker: 'query', dir });
      if (flags.pull) await (await import('./pullForQueries.ts')).pullForQueries(bot);
      const { runQueryServer } = await import('../query/server/role.ts');
      return await runQueryServer({ ...bot, version: build.version });
    }
    const role = flags['skip-sync'] ? 'execute-without-sync' : 'execute';
    const load = () => loadBot(invocation, { role, speaker: 'supervisor', dir });
    const bot = await load().catch(async (error: unknown) => {
      const { recordFailedStart } = await import('./recordFailedStart.ts');
      recordFailedStart(invocation, dir, error);
      throw error;
    });
    const directory = dir === undefined ? undefined : resolve(invocation.cwd, dir);
    if (bot.config.query.path !== undefined) {
      const scratch = directory === undefined ? tmpdir() : join(directory, '.runtime');
      return await (await import('./ephemeralQuery.ts')).ephemeralQuery(bot, invocation, scratch);
    }
    const lock = directory && (await (await import('./lockDirectory.ts')).lockDirectory(directory));
    const parts = { sync: !flags['skip-sync'], queryServer: !flags['skip-query-server'] };
    try {
      if (flags.watch) {
        const { watchBot } = await import('./watchBot.ts');
        return await watchBot({ bot, reload: load, parts }, invocation);
      }
      const { runBot } = await import('./runBot.ts');
      return await runBot(bot, invocation, parts);
    } finally {
      if (lock) lock.close();
      // The capture of the bot's output has waited as long as it may, and the exit is due within STOP_TIMEOUT.
      invocation.abandonStalled();
    }
  },
};
