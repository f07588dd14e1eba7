import { build } from '../../base/build.ts';
import type { Command } from '../../base/command/command.ts';
import { HandOver } from '../../base/command/explain.ts';
import { runQueryServer } from '../query/server/runQueryServer.ts';
import { executeOptions } from './executeOptions.ts';
import { loadBot } from './loadBot.ts';
import { whatToRun } from './whatToRun.ts';

/** `execute --query-server-only`, which is a program of its own: nothing of a bot's life is in it, and nothing of it in the agent. */
export const queryServer: Command = {
  name: 'execute',
  summary: 'only the query server: a sidecar of the bot',
  positionals: '[DIR] [K=V…]',
  options: executeOptions,
  run: async (invocation) => {
    const { flags } = invocation;
    // The word is there, and no flag: it stands behind `--`.
    if (!flags['query-server-only']) throw new HandOver();
    const { dir, source } = await whatToRun(invocation);
    const role = flags.pull ? 'pulling-query-server' : 'query-server';
    const told = flags['await-bot']
      ? { invocation: await (await import('./awaitBot.ts')).awaitBot(invocation), warnings: [] }
      : source();
    const bot = await loadBot(told.invocation, { role, speaker: 'query', dir, warnings: told.warnings });
    const pulled = flags.pull ? (await import('./pullForQueries.ts')).pullForQueries(bot) : Promise.resolve();
    return await runQueryServer({ ...bot, version: build.version, pulled });
  },
};
