import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import type { Folders } from './folders.ts';
import { makeWritten } from './makeWritten.ts';

/** The first user of a bot. The range above has no other use on a usual machine. */
const FIRST_UID = 200_000;

/** A user for each bot, the same for as long as the bot has a folder; no two bots have the same. */
export interface Users {
  /** Makes the bot's folders, its own, on first use. */
  of(bot: string): { readonly uid: number; readonly gid: number };
}

export function openUsers(folders: Folders, first = FIRST_UID): Users {
  const known = new Map<string, number>();
  makeFolders(folders.bots, 0o711);
  for (const bot of readdirSync(folders.bots)) {
    const uid = read(folders.bot(bot).user);
    if (uid !== undefined) known.set(bot, uid);
  }
  let next = Math.max(first, ...[...known.values()].map((uid) => uid + 1));

  return {
    of: (bot) => {
      const { own, user } = folders.bot(bot);
      let uid = known.get(bot);
      // Its folder may have gone to the trash: a bot of the same name is another one.
      if (uid === undefined || !existsSync(user)) {
        uid = next++;
        makeFolders(own, 0o711);
        if (!folders.ownDisks) makeWritten(folders.bot(bot), { uid, gid: uid });
        // Last: what has a user has its folders.
        replaceFile(user, `${uid}\n`, { mode: 0o600 });
        known.set(bot, uid);
      }
      return { uid, gid: uid };
    },
  };
}

function read(file: string): number | undefined {
  try {
    const uid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(uid) && uid >= FIRST_UID ? uid : undefined;
  } catch {
    return undefined;
  }
}
