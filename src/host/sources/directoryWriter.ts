import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import { parseDocument } from '../../base/parts/yaml.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import { readApplied } from './readApplied.ts';
import type { Listing, SourceWriter } from './source.ts';

/** Writes bots' files into the folder, each whole. Comments and order of a file that is changed stay. */
export function createDirectoryWriter(folder: string, listing: () => Listing, clock: Clock): SourceWriter {
  const fileOf = (bot: string): string => {
    const origin = listing().get(bot)?.origin;
    if (origin !== undefined && existsSync(origin)) return origin;
    throw new RuntimeError('not-found', `there is no file for the bot ${bot} in ${folder}`, { path: folder });
  };

  /** It lies in a folder with its code. */
  const isOwn = (file: string) => basename(file) === 'bot.yaml' && dirname(file) !== folder;

  return {
    apply: async (text) => {
      const fileFor = (name: string) => listing().get(name)?.origin ?? join(folder, `${name}.yaml`);
      const { name } = readApplied(text, clock.now(), ({ code, rest }) => {
        const file = fileFor(rest.name);
        if (code === undefined) return isOwn(file) ? undefined : 'code: missing';
        const path = 'path' in code ? resolve(dirname(file), code.path) : folder;
        return existsSync(path) ? undefined : `code.path: there is no ${path}, beside ${file} as it will be`;
      });
      write(fileFor(name), text);
      return name;
    },
    enable: async (bot, enabled) => {
      const file = fileOf(bot);
      const document = parseDocument(readFileSync(file, 'utf8'));
      document.set('enabled', enabled);
      write(
        file,
        file.endsWith('.json') ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString(),
      );
    },
    remove: async (bot) => {
      const file = fileOf(bot);
      if (isOwn(file))
        throw new RuntimeError('refused', `${bot} is a folder with its code: ${dirname(file)}`, {
          hint: 'Remove the folder yourself, or `runtime bots disable` it.',
        });
      rmSync(file, { force: true });
    },
  };
}

function write(file: string, text: string): void {
  // A name with a dot in front is not a bot's, should we be killed in between.
  replaceFile(file, text, { mode: 0o644, temporary: join(dirname(file), `.${basename(file)}.new`) });
}
