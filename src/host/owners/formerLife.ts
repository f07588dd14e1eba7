import { readFileSync, statSync } from 'node:fs';
import * as v from 'valibot';
import type { Logger } from '../../base/log.ts';
import { replaceFile } from '../../base/replaceFile.ts';

/** As whom a host is known to others, and which life of it says so. */
export interface Known {
  /** `OwnerHost.key` */
  readonly key: string;
  readonly life: string;
}

/**
 * As whom the life before this one was known, on the host's own disk. Given back only where that one has ended for certain: it worked with
 * this very folder, whose lock is this life's now, since this very machine was started. A copy of the folder is another folder, and a copy
 * of the machine was started by itself.
 */
export interface FormerLife {
  recall(): Known | undefined;
  /** This life is known as `known`, and nothing is left of the one before. */
  remember(known: Known): void;
}

const schema = v.object({ key: v.string(), life: v.string(), folder: v.string(), boot: v.string() });

/** `folder`: the data folder; `boot`: a file that says which start of the machine this is. */
export function createFormerLife(
  file: string,
  folder: string,
  log: Logger,
  boot = '/proc/sys/kernel/random/boot_id',
): FormerLife {
  const here = () => {
    const { dev, ino } = statSync(folder, { bigint: true });
    return { folder: `${dev}:${ino}`, boot: readFileSync(boot, 'utf8').trim() };
  };
  return {
    recall: () => {
      try {
        const { key, life, ...then } = v.parse(schema, JSON.parse(readFileSync(file, 'utf8')));
        const now = here();
        return then.folder === now.folder && then.boot === now.boot ? { key, life } : undefined;
      } catch {
        return undefined;
      }
    },
    remember: (known) => {
      try {
        replaceFile(file, JSON.stringify({ ...known, ...here() }), { mode: 0o600 });
      } catch (error) {
        log.warn(`${file} cannot be written: ${(error as Error).message}`);
      }
    },
  };
}
