import { spawnSync } from 'node:child_process';
import { mountPoints } from '../../../src/base/mountPoints.ts';

/** What a server of sandboxes that was killed has left mounted in its data folder. */
export function unmountBelow(folder: string): void {
  const below = mountPoints().filter((path) => path.startsWith(`${folder}/`));
  for (const path of below.reverse()) spawnSync('umount', ['--lazy', path]);
}
