import { chmodSync, chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import { makeFolders } from '../../../base/makeFolders.ts';
import type { Owner } from '../../../base/owner.ts';
import type { Config } from '../../../bot/config/config.ts';
import {
  blameCapability,
  type Capability,
  lackedCapabilities,
  requireCapabilities,
} from '../../process/capabilities.ts';

/**
 * Makes the directories of the contract. Code and state belong to the bot's user. The logs belong to the supervisor's, so that the bot
 * cannot rewrite what it has said. `needed` has the capabilities that are used later, where the bot is another user. Throws `config`.
 */
export function preparePaths(config: Config, needed: readonly Capability[]): void {
  const { paths, user } = config;
  requireCapabilities(user, needed);
  // Where the bot is another user, the supervisor is root.
  const ours = user && { uid: 0, gid: 0 };
  try {
    own(paths.code, user);
    own(paths.state, user);
    own(paths.logs, ours);
    // The owner of the folder around them can replace the logs and the exit record.
    const around = dirname(paths.logs);
    if (user && user.uid !== 0 && statSync(around).uid === user.uid) own(around, ours);
  } catch (error) {
    throw blameCapability(error, user);
  }
}

function own(path: string, owner: Owner | undefined): void {
  try {
    makeFolders(path, 0o755);
    if (!owner) return;
    let { uid, mode } = statSync(path);
    // Images and volumes leave them open to every user, because a container may start as any.
    const open = (mode & 0o002) !== 0;
    if (open && uid !== 0 && lackedCapabilities(['FOWNER']).length > 0) {
      chownSync(path, 0, 0);
      uid = 0;
    }
    if (open) chmodSync(path, 0o755);
    if (uid !== owner.uid) chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): RuntimeError {
  return new RuntimeError(
    'config',
    `${path} cannot be created, or belongs to another user: ${(cause as Error).message}`,
    {
      op: 'start.prepare',
      path,
      hint: ['EEXIST', 'ENOTDIR'].includes(systemCode(cause) ?? '')
        ? 'What is there is no folder: take it away, or name another path.'
        : 'With a read-only root file system, mount a volume or a tmpfs there.',
      cause,
    },
  );
}
