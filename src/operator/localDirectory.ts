import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Invocation } from '../base/command/command.ts';
import { isRuntimeError, RuntimeError } from '../base/errors.ts';

/** What says which store is meant; beside it a bare name is a bot's id. */
const storeVariables = ['STORE_URL', 'MINIO_ENDPOINT'] as const;

/**
 * The directory of a bot that `execute DIR` has run, where a command's BOT means one: a path (`./my-bot`, `.`), or a name where
 * no store is configured. The commands then work on the store in it. Throws `usage` for a path where none has run.
 */
export function localDirectory(
  bot: string,
  { cwd, env, flags }: Pick<Invocation, 'cwd' | 'env' | 'flags'>,
): string | undefined {
  const isPath = bot.includes('/') || bot === '.' || bot === '..';
  if (namesStore({ env, flags }) && !isPath) return undefined;
  const path = resolve(cwd, bot);
  if (hasRunIn(path)) return bot;
  if (!isPath) return undefined;
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  throw new RuntimeError('usage', isThere ? `no bot has run in ${bot}` : `there is no folder ${bot}`, {
    op: 'bot.find',
    path: bot,
    hint: isThere ? `runtime execute ${bot} runs the one that is in it.` : 'A name without "/" is a bot\'s.',
  });
}

/** `execute DIR` has run the bot in this folder, a path. */
export const hasRunIn = (path: string): boolean => existsSync(join(path, '.runtime', 'store'));

/** `error` of a name that is no folder's, with what whoever meant a folder has to know, where no store is configured. */
export function orFolder(
  error: unknown,
  bot: string,
  invocation: Pick<Invocation, 'env' | 'flags'>,
): unknown {
  if (!isRuntimeError(error, 'config') || namesStore(invocation)) return error;
  return new RuntimeError('config', error.message, {
    op: 'bot.find',
    problems: error.problems,
    hint: `No bot has run in a folder ${bot} here (\`runtime execute ${bot}\` runs one), and no store is named that could have it.`,
    cause: error,
  });
}

function namesStore({ env, flags }: Pick<Invocation, 'env' | 'flags'>): boolean {
  return storeVariables.some((name) => env[name]) || Boolean(flags['store-url'] || flags['minio-endpoint']);
}
