import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import type { Owner } from '../../../base/owner.ts';
import type { Config } from '../../../bot/config/config.ts';

/**
 * Makes the directories of the contract. Code and state belong to whom the bot runs as; the logs stay ours, so that
 * the bot cannot rewrite what it has said.
 */
export function preparePaths(config: Config): void {
  const { paths, user } = config;
  // With another user for the bot, we are root.
  const ours = user && { uid: 0, gid: 0 };
  own(paths.code, user);
  own(paths.state, user);
  own(paths.logs, ours);
  // Whoever owns the folder around them can replace the logs and the exit record.
  const around = dirname(paths.logs);
  if (user && user.uid !== 0 && statSync(around).uid === user.uid) own(around, ours);
}

function own(path: string, owner: Owner | undefined): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (!owner) return;
    const { uid, mode } = statSync(path);
    if (uid !== owner.uid) chownSync(path, owner.uid, owner.gid);
    // Images and volumes leave them open to every user whom a container may start as.
    if (mode & 0o002) chmodSync(path, 0o755);
  } catch (error) {
    throw new RuntimeError('config', `${path} cannot be made or is not ours: ${(error as Error).message}`, {
      op: 'start.prepare',
      path,
      hint: 'With a read-only root file system, mount a volume or a tmpfs there.',
      cause: error,
    });
  }
}
