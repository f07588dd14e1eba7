import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, ok, warn } from '../../base/finding.ts';
import type { HostCheck } from './patient.ts';

const LEAST_FREE = 0.1;

/** Room in the data folder, and whether `resources.disk` can be held there. */
export const disk: HostCheck = {
  name: 'disk',
  async run({ data }) {
    let folder = data;
    while (!existsSync(folder)) folder = dirname(folder);
    const { bavail, blocks, bsize } = statfsSync(folder);
    const free = `${Math.floor((bavail * bsize) / 2 ** 30)} GiB free in ${folder}`;
    return [
      bavail < blocks * LEAST_FREE
        ? warn('disk', free, 'Below 10 % nothing new is started: make room, or move RUNTIME_HOST_DATA.')
        : ok('disk', free),
      quota(mountOf(folder, readFileSync('/proc/mounts', 'utf8'))),
    ];
  },
};

export interface MountedAt {
  readonly path: string;
  readonly options: string;
}

/** The mount that a folder lies on. */
export function mountOf(folder: string, mounts: string): MountedAt {
  let found: MountedAt = { path: '/', options: '' };
  for (const line of mounts.split('\n')) {
    const [, path = '', , options = ''] = line.split(' ');
    const inside = path === '/' || folder === path || folder.startsWith(`${path}/`);
    if (path !== '' && inside && path.length >= found.path.length) found = { path, options };
  }
  return found;
}

export function quota({ path, options }: MountedAt): Finding {
  if (/(^|,)(prjquota|pquota)(,|$)/.test(options)) return ok('disk quota', `${path} has project quotas`);
  return warn(
    'disk quota',
    `${path} has no project quotas: resources.disk is not held, and one bot can fill the disk of all`,
    'Keep the data folder on XFS or ext4 mounted with prjquota.',
  );
}
