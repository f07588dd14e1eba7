import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from '../../base/build.ts';
import type { Command, Invocation } from '../../base/command/command.ts';
import { RuntimeError } from '../../base/errors.ts';
import { configOptions } from '../../bot/config/configOptions.ts';
import { processSelf } from '../process/processSelf.ts';
import { startGuard } from '../supervisor/guard/guard.ts';
import { type LoadedBot, loadBot } from './loadBot.ts';

export const execute: Command = {
  name: 'execute',
  summary:
    "container entrypoint: pull code and state, run the bot, save everything, exit with the bot's code",
  positionals: '[DIR] [K=V…]',
  options: {
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
  },
  run: async (invocation) => {
    const { flags } = invocation;
    const { dir, pairs } = whatToRun(invocation);
    if (flags.watch && dir === undefined) {
      throw new RuntimeError('usage', '--watch needs a DIR', { hint: 'runtime execute --watch DIR' });
    }
    if (flags.pull && !flags['query-server-only']) {
      throw new RuntimeError('usage', '--pull goes with --query-server-only: a bot that runs always pulls');
    }
    if (flags['await-bot'] && !flags.pull) {
      throw new RuntimeError('usage', '--await-bot goes with --query-server-only --pull');
    }
    if (flags.watch && (flags['query-server-only'] || flags.query !== undefined)) {
      throw new RuntimeError('usage', '--watch runs a bot, which --query and --query-server-only do not');
    }
    if (dir === undefined) {
      const flag = ['env-file', 'config', 'inspect', 'debugpy'].find((name) => flags[name] !== undefined);
      if (flag !== undefined) throw new RuntimeError('usage', `--${flag} needs a DIR`);
    }
    const people = dir === undefined && pairs.length === 0 ? undefined : await import('./parts/inPlace.ts');
    const source = () => people?.readSources(invocation, pairs, dir) ?? invocation;
    if (flags['query-server-only']) {
      const role = flags.pull ? 'pulling-query-server' : 'query-server';
      const told = flags['await-bot'] ? await (await import('./awaitBot.ts')).awaitBot(invocation) : source();
      const bot = await loadBot(told, { role, speaker: 'query', dir });
      const pulled = flags.pull
        ? (await import('./pullForQueries.ts')).pullForQueries(bot)
        : Promise.resolve();
      const { runQueryServer } = await import('../query/server/role.ts');
      return await runQueryServer({ ...bot, version: build.version, pulled });
    }
    const role = flags['skip-sync'] ? 'execute-without-sync' : 'execute';
    // Before all else: its own start goes on beside ours. While a bot is watched, each run has one of its own.
    const guard = flags.watch ? undefined : startGuard(processSelf());
    const load = async () => await loadBot(source(), { role, speaker: 'supervisor', dir });
    const bot = await load().catch(async (error: unknown) => {
      const { recordFailedStart } = await import('./parts/failedStart.ts');
      recordFailedStart(invocation, dir, error);
      throw error;
    });
    const directory = dir === undefined ? undefined : resolve(invocation.cwd, dir);
    if (bot.config.query.path !== undefined) {
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

/** A query without a DIR is one of the bot that the environment describes, and has parameters all the same. */
function whatToRun({ positionals, flags }: Invocation): {
  dir: string | undefined;
  pairs: readonly string[];
} {
  const [first, ...others] = positionals;
  return flags.query !== undefined && first?.includes('=')
    ? { dir: undefined, pairs: positionals }
    : { dir: first, pairs: others };
}
