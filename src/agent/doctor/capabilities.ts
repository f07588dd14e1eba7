import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import type { Owner } from '../../base/owner.ts';
import type { Config } from '../../bot/config/config.ts';
import { type Capability, lackedCapabilities, lacking, TO_RUN, TO_WRITE } from '../process/capabilities.ts';
import { unmappedUser } from '../process/unmappedUser.ts';
import type { Check } from './check.ts';

/** Root can do for the bot's user what a start does. */
export const capabilities: Check = {
  name: 'capabilities',
  async run({ config }) {
    const unmapped = config.user && unmappedUser(config.user);
    if (unmapped) return [fail('capabilities', unmapped)];
    return examineCapabilities(config, lackedCapabilities([...TO_RUN, ...TO_WRITE, 'CHOWN', 'FOWNER']));
  },
};

export function examineCapabilities(
  { user, paths, code }: Pick<Config, 'user' | 'paths' | 'code'>,
  lacked: readonly Capability[],
): Finding[] {
  if (user === undefined || user.uid === 0) return [];
  const give = (needed: readonly Capability[]) => fail('capabilities', lacking(needed, user));
  if (lacked.some((name) => name !== 'CHOWN' && name !== 'FOWNER')) {
    return [give(lacked.filter((name) => name !== 'FOWNER'))];
  }
  if (!lacked.includes('CHOWN')) return [ok('capabilities', `enough for a bot of ${user.uid}:${user.gid}`)];
  if (code.file !== undefined) return [give(['CHOWN'])];
  const belong = [paths.code, paths.state].every((path) => isOf(path, user.uid, lacked));
  const ours = [paths.logs, dirname(paths.logs)].every((path) => !isOf(path, user.uid, []));
  if (!belong || !ours) return [give(lacked)];
  return [
    warn(
      'capabilities',
      'without CAP_CHOWN no saved state can be restored: only a start that finds none, or the newest one in place, succeeds',
      lacking(['CHOWN'], user).hint,
    ),
  ];
}

/** And, where that cannot be changed, closed to all others. */
function isOf(path: string, uid: Owner['uid'], lacked: readonly Capability[]): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.uid === uid && !(lacked.includes('FOWNER') && stat.mode & 0o002);
}
