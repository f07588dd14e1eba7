import { join } from 'node:path';
import { type KeysFile, keysFile } from './keysFile.ts';
import type { KeysPlace } from './keysPlace.ts';
import { openSeals } from './seals.ts';

/** Keys in files below a folder of the host, each bot's folder mounted into its instances at `target`. */
export function folderKeys(folder: string, target: string): KeysPlace {
  const seals = openSeals(folder);
  const fileOf = (bot: string): KeysFile =>
    keysFile(join(folder, 'bots', bot), (scope) => seals.of(bot, scope));
  return {
    mount: (bot) => ({
      target,
      readOnly: true,
      // The folder: a file that is mounted by itself stays the old one when it is replaced.
      from: { type: 'folder', path: fileOf(bot).folder },
    }),
    seal: seals.of,
    read: (bot, scope) => fileOf(bot).read(scope),
    write: async (bot, scope, keys) => fileOf(bot).write(scope, keys),
    remove: (bot) => fileOf(bot).remove(),
  };
}
