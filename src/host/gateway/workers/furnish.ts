import {
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as others } from 'node:timers/promises';
import { RuntimeError } from '../../../base/errors.ts';
import type { InstanceSpec } from '../../engine/engine.ts';
import { placeIn } from './fits.ts';

/** With more it is a container of its own, which mounts them. */
const MOST_FILES = 5_000;
/** Other queries have their turn after so many. */
const AT_ONCE = 100;

/**
 * Puts what the wanted instance mounts from folders into those that the waiting one already has: there it appears at the same places,
 * read-only. What all may read (code) is linked, so a thousand files take no copy and no memory; what one user may read
 * (secrets) is copied for the worker's. Throws `refused` when it is too much.
 */
export async function furnish(waiting: InstanceSpec, wanted: InstanceSpec): Promise<void> {
  let files = 0;
  for (const mount of wanted.mounts) {
    const place = placeIn(waiting, mount);
    if (mount.from.type !== 'folder' || place?.from.type !== 'folder') continue;
    const to = join(place.from.path, mount.target.slice(place.target.length));
    for (const _ of give(mount.from.path, to, waiting.user)) {
      files += 1;
      if (files > MOST_FILES)
        throw new RuntimeError('refused', `${wanted.bot} has more than ${MOST_FILES} files`, {
          op: 'host.furnish',
        });
      if (files % AT_ONCE === 0) await others();
    }
  }
}

/** One file a step. What is walked is the host's own: no bot can change it meanwhile. */
function* give(from: string, to: string, user: InstanceSpec['user']): Generator<undefined> {
  const stat = lstatSync(from);
  if (stat.isDirectory()) {
    mkdirSync(to, { recursive: true, mode: 0o755 });
    for (const name of readdirSync(from)) yield* give(join(from, name), join(to, name), user);
    return;
  }
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stat.uid === 0 && (stat.mode & 0o004) !== 0) linkSync(from, to);
  else {
    copyFileSync(from, to);
    if (user) chownSync(to, user.uid, user.gid);
  }
  yield;
}
