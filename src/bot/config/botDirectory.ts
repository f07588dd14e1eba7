import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import { guessProgram } from './guessProgram.ts';
import { idFrom } from './idFrom.ts';
import type { FileSource } from './mergeSources.ts';
import { misnamedSettings } from './misnamedSettings.ts';
import { readBotConfigFile } from './readBotConfigFile.ts';
import { configError } from './readConfig.ts';
import { virtualEnv } from './virtualEnv.ts';

export interface BotDirectory extends FileSource {
  /** What was guessed, to be told to the user. */
  readonly notes: readonly string[];
  /** What its files say that does not count. */
  readonly warnings: readonly string[];
}

/**
 * The bot in `directory` (absolute), in place on an embedded store: what `bot.yaml` and `config.json` say, and
 * everything that is written below `.runtime`. `given` is what flags and variables say; what they leave open is
 * guessed. Throws `not-found` (66) where there is no directory, `config` (78) with every problem of its files.
 */
export async function botDirectory(directory: string, given: Env): Promise<BotDirectory> {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (!found?.isDirectory()) {
    const problem = found ? 'not a directory' : 'no such directory';
    throw new RuntimeError('not-found', `${problem}: ${directory}`, {
      op: 'config.read',
      path: directory,
      hint: found ? 'name the directory that holds it' : 'runtime init DIR creates a bot to begin with',
    });
  }
  const problems: string[] = [];
  const settings = await readSettings(directory, problems);
  const config = readBotConfigFile(join(directory, 'config.json'), problems);
  if (problems.length > 0) throw configError(problems);

  const values: Record<string, string | undefined> = { ...settings.values };
  const notes: string[] = [];
  const runtime = given.RUNTIME || values.RUNTIME || undefined;
  const guess =
    given.ENTRYPOINT || values.ENTRYPOINT || given.MESSAGE_ENTRYPOINT || values.MESSAGE_ENTRYPOINT
      ? undefined
      : guessProgram(directory, runtime);
  if (guess !== undefined) {
    values.RUNTIME = runtime ?? guess.runtime;
    values.ENTRYPOINT = guess.entrypoint;
    const why =
      settings.file === undefined ? `no bot.yaml in ${directory}` : `${settings.file} names no program`;
    notes.push(`${why}: running ${guess.entrypoint} as ${values.RUNTIME}`);
  }
  const own = join(directory, '.runtime');
  const python = virtualEnv(directory, given.PATH ?? '');
  if (python?.note !== undefined) notes.push(python.note);
  return {
    notes,
    warnings: settings.warnings,
    origins: { ...settings.origins, BOT_CONFIG: 'config.json' },
    // In place: nothing is unpacked over the directory.
    settled: { CODE_PATH: directory, CODE_FILE: '', CODE_SHA256: '', CODE_CACHE: '', ...python?.variables },
    defaults: {
      BOT_ID: idFrom(basename(directory)),
      // A person's files stay that person's, also when it is root who runs the bot.
      BOT_USER: 'none',
      STORE_URL: pathToFileURL(join(own, 'store')).href,
      STATE_PATH: join(own, 'state'),
      LOGS_PATH: join(own, 'logs'),
      // Python would write its bytecode beside the bot's modules; nothing but our folder is written to.
      PYTHONPYCACHEPREFIX: join(own, 'pycache'),
      ...(config === undefined ? {} : { BOT_CONFIG: config }),
      ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
    },
  };
}

interface Settings {
  readonly file: string | undefined;
  readonly values: Env;
  readonly origins: Env;
  readonly warnings: readonly string[];
}

async function readSettings(directory: string, problems: string[]): Promise<Settings> {
  const file = ['bot.yaml', 'bot-config.yaml'].find((name) => existsSync(join(directory, name)));
  if (file === undefined) {
    const misnamed = misnamedSettings(directory);
    return { file, values: {}, origins: {}, warnings: misnamed === undefined ? [] : [misnamed] };
  }
  const { readBotYaml } = await import('./readBotYaml.ts');
  return { file, ...readBotYaml(join(directory, file), problems) };
}
