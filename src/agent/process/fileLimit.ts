import { readFileSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.ts';

/** What the supervisor has open at once while it starts: Node's own, the pipes of guard, daemon and bot, the store. */
export const OWN_FILES = 36;

/** From here on nothing is near the limit. */
const PLENTY = 100;

const LIMITS = '/proc/self/limits';

/** How many files, pipes and sockets each process may have open; undefined: no limit, or the system does not say. */
export function fileLimit(file: string = LIMITS): number | undefined {
  try {
    const soft = /^Max open files +(\d+) /m.exec(readFileSync(file, 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

export const areFilesScarce = (limit: number | undefined): boolean => limit !== undefined && limit < PLENTY;

export const areFilesTooFew = (limit: number | undefined): boolean =>
  limit !== undefined && limit < OWN_FILES;

/** Throws `config` where not even the runtime can start: it would end at any of a dozen places, each with words of its own. */
export function requireFiles(limit: number | undefined): void {
  if (!areFilesTooFew(limit)) return;
  throw new RuntimeError(
    'config',
    `${limit} open files are allowed, and the runtime alone needs ${OWN_FILES}`,
    {
      op: 'start.prepare',
      hint: 'Allow more: docker run --ulimit nofile=1024, LimitNOFILE= of a unit, ulimit -n of a shell.',
    },
  );
}
