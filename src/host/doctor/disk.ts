import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Finding, ok, warn } from '../../base/finding.ts';
import type { HostCheck } from './patient.ts';

const LEAST_FREE = 0.1;

/** Room in the data folder, and what one bot can do to it. */
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
}

/** The mount that a folder lies on. */
export function mountOf(folder: string, mounts: string): MountedAt {
  let found: MountedAt = { path: '/' };
  for (const line of mounts.split('\n')) {
    const [, path = ''] = line.split(' ');
    const inside = path === '/' || folder === path || folder.startsWith(`${path}/`);
    if (path !== '' && inside && path.length >= found.path.length) found = { path };
  }
  return found;
}

/** `resources.disk` is looked at, and held by no quota: a bot is over it for up to a minute before anything happens. */
export function quota({ path }: MountedAt): Finding {
  return warn(
    'disk quota',
    `resources.disk is watched in ${path}, not held by the file system`,
    path === '/'
      ? 'Give the data folder a file system of its own: a bot that fills it for all then fills no more than that.'
      : 'Watch it: below 10 % nothing new is started, and bots that are over their limit are stopped.',
  );
}
