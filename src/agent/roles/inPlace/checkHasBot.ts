import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Invocation } from '../../../base/command/command.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { guessProgram } from '../../../bot/config/guessProgram.ts';
import { type Flags, mergeSources } from '../../../bot/config/mergeSources.ts';
import { misnamedSettings } from '../../../bot/config/misnamedSettings.ts';

/** Throws `config` (78) where `dir` holds nothing that could be a bot, rather than one line for each variable that is missing. */
export function checkHasBot({ cwd, env, flags }: Invocation, dir: string): void {
  const directory = resolve(cwd, dir);
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  if (['bot.yaml', 'bot-config.yaml'].some((name) => existsSync(join(directory, name)))) return;
  const given = mergeSources({ env, flags: flags as Flags }).env;
  if (
    given.ENTRYPOINT ||
    given.QUERY_ENTRYPOINT ||
    given.MESSAGE_ENTRYPOINT ||
    guessProgram(directory, given.RUNTIME || undefined)
  )
    return;
  const misnamed = misnamedSettings(directory);
  const isEmpty = readdirSync(directory).every((name) => name === '.runtime');
  throw new RuntimeError('config', `there is no bot in ${directory}: no bot.yaml, no main.py, no index.js`, {
    op: 'config.read',
    path: directory,
    hint: misnamed
      ? `${misnamed}.`
      : `\`runtime init ${isEmpty ? dir : join(dir, 'my-bot')}\` creates a bot to begin with.`,
  });
}
