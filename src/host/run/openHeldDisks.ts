import { readdirSync, readFileSync, statSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Folders } from '../data/folders.ts';
import { type HeldDisks, type HowDisks, holdDisks, tryDisk } from '../data/holdDisks.ts';

const ENGINE = 'dockerd';

/** Throws `config` where disks are to be held and cannot be. */
export async function openHeldDisks(folders: Folders, how: HowDisks, log: Logger): Promise<HeldDisks> {
  if (how === 'watched') return holdDisks(folders, how);
  makeFolders(folders.data, 0o711);
  const problem = await tryDisk(folders.data, isSeenByEngine);
  if (problem === undefined) return holdDisks(folders, how);
  if (how === 'own')
    throw new RuntimeError('config', `disks of their own cannot be mounted here: ${problem}`, {
      op: 'host.disks',
      hint: 'It takes root, /dev/loop-control, fallocate and mkfs.ext4, beside the engine and not in a container; --disks watched does without.',
    });
  log.warn(`disks of sandboxes are watched, not held: ${problem}`);
  return holdDisks(folders, 'watched');
}

/** Why an engine on this machine would not see what is mounted at `path`: it has other mounts than this process, in a container or as a service. */
function isSeenByEngine(path: string): string | undefined {
  const { dev } = statSync(path);
  const sees = readdirSync('/proc').some((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === ENGINE &&
        statSync(`/proc/${pid}/root${path}`).dev === dev
      );
    } catch {
      // It is no process, has ended, or sees nothing there.
      return false;
    }
  });
  return sees ? undefined : `no ${ENGINE} of this machine sees what is mounted here`;
}
