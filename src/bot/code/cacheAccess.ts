import { lstatSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Owner } from '../../base/owner.ts';

export interface CacheAccess {
  /** Why the directory must not be used, as a clause; undefined: it may be. */
  readonly problem: string | undefined;
  readonly writable: boolean;
}

/**
 * Whether `directory` can be used as a code cache, making it when it is missing. Whoever can write to a cache decides
 * what other bots run. So it has to belong to root or to us, and never to the user that the bot runs as: where the
 * runtime itself is that user, it only reads a cache that root has filled.
 */
export function cacheAccess(directory: string, bot: Owner | undefined): CacheAccess {
  const us = process.geteuid?.() ?? 0;
  const botUid = bot?.uid ?? us;
  try {
    if (botUid !== us) makeFolders(directory, 0o755);
    const stat = lstatSync(directory);
    const writable = stat.uid === us || us === 0;
    if (!stat.isDirectory()) return { problem: 'it is not a directory', writable };
    if (stat.uid === botUid)
      return { problem: "it belongs to the bot's user, who could change it", writable };
    if (stat.uid !== 0 && stat.uid !== us) return { problem: 'it belongs to another user', writable };
    if ((stat.mode & 0o022) !== 0) return { problem: 'its group or everybody can write to it', writable };
    return { problem: undefined, writable };
  } catch (error) {
    return { problem: `it cannot be opened (${systemCode(error)})`, writable: false };
  }
}
