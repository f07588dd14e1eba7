import { readFileSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';

/**
 * What is wrong where this user namespace has no such user or group, as in a rootless container with one id: nobody can become it, whatever
 * the capabilities. Undefined where there is one, and where the system does not say.
 */
export function unmappedUser({ uid, gid }: Owner, proc = '/proc/self'): RuntimeError | undefined {
  if (isMapped(uid, `${proc}/uid_map`) && isMapped(gid, `${proc}/gid_map`)) return undefined;
  return new RuntimeError(
    'config',
    `this user namespace has no user ${uid}:${gid}, as whom the bot would run`,
    {
      op: 'start.prepare',
      hint: 'Give the container a range of ids (subuid and subgid), or set BOT_USER=none, which leaves the bot the one user that there is.',
    },
  );
}

/** Lines of a map are `first, first outside, count`. */
function isMapped(id: number, file: string): boolean {
  let map: string;
  try {
    map = readFileSync(file, 'latin1');
  } catch {
    return true;
  }
  return map.split('\n').some((line) => {
    const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return id >= first && id < first + count;
  });
}
