import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from '../../base/command/command.ts';
import { areFilesTooFew, fileLimit, requireFiles } from '../process/fileLimit.ts';
import { processSelf } from '../process/processSelf.ts';
import { startGuard } from '../supervisor/guard/guard.ts';
import { executeOptions } from './executeOptions.ts';
import { type LoadedBot, loadBot } from './loadBot.ts';
import { whatToRun } from './whatToRun.ts';

/** A bot's life, or one query of it. Its query server alone is `queryServer.ts`, of a program of its own. */
export const execute: Command = {
  name: 'execute',
  summary:
    "container entrypoint: pull code and state, run the bot, save everything, exit with the bot's code",
  positionals: '[DIR] [K=V…]',
  options: executeOptions,
  run: async (invocation) => {
    const { flags } = invocation;
    const { dir, people, source } = await whatToRun(invocation);
    const role = flags['skip-sync'] ? 'execute-without-sync' : 'execute';
    const files = fileLimit();
    // Before all else: its own start goes on beside ours. While a bot is watched, each run has one of its own.
    const guard = flags.watch || areFilesTooFew(files) ? undefined : startGuard(processSelf());
    const load = async () => {
      requireFiles(files);
      const { invocation: read, warnings } = source();
      return await loadBot(read, { role, speaker: 'supervisor', dir, warnings });
    };
    const bot = await load().catch(async (error: unknown) => {
      const { recordFailedStart } = await import('./parts/failedStart.ts');
      recordFailedStart(invocation, dir, error);
      throw error;
    });
    const directory = dir === undefined ? undefined : resolve(invocation.cwd, dir);
    if (bot.config.query.path !== undefined) {
      people?.warnBotAnswers(bot);
      const scratch = directory === undefined ? tmpdir() : join(directory, '.runtime');
      return await (await import('./ephemeralQuery.ts')).ephemeralQuery(bot, invocation, scratch, guard);
    }
    const lock = directory && (await (await import('./lockDirectory.ts')).lockDirectory(directory));
    const parts = { sync: !flags['skip-sync'], queryServer: !flags['skip-query-server'] };
    try {
      const prepare = async (loaded: LoadedBot) =>
        people && dir !== undefined
          ? await people.prepareInPlace(loaded, flags, dir, invocation.stderr)
          : loaded;
      const prepared = await prepare(bot);
      if (flags.watch) {
        const { watchBot } = await import('./watchBot.ts');
        return await watchBot(
          { bot: prepared, reload: async () => prepare(await load()), parts },
          invocation,
        );
      }
      const { runBot } = await import('./runBot.ts');
      const code = await runBot(prepared, invocation, parts, { guard });
      if (dir !== undefined) people?.tellEnd(bot, dir);
      return code;
    } finally {
      if (lock) lock.close();
      // The capture of the bot's output has waited as long as it may, and the exit is due within STOP_TIMEOUT.
      invocation.abandonStalled();
    }
  },
};
