import { readFileSync } from 'node:fs';
import { type Finding, ok, warn } from '../../base/finding.ts';
import type { HostCheck } from './patient.ts';

interface Limit {
  readonly name: string;
  /** Below `/proc/sys`. */
  readonly file: string;
  /** What 1,000 bots take. */
  readonly least: number;
  readonly why: string;
}

const all: readonly Limit[] = [
  { name: 'processes', file: 'kernel/pid_max', least: 65_536, why: 'threads of 1,000 bots and their shims' },
  {
    name: 'threads',
    file: 'kernel/threads-max',
    least: 65_536,
    why: 'threads of 1,000 bots and their shims',
  },
  {
    name: 'inotify instances',
    file: 'fs/inotify/max_user_instances',
    least: 128,
    why: 'watches, for each user',
  },
  { name: 'inotify watches', file: 'fs/inotify/max_user_watches', least: 8_192, why: 'folders of states' },
  {
    name: 'neighbours',
    file: 'net/ipv4/neigh/default/gc_thresh3',
    least: 8_192,
    why: 'an entry for each bot',
  },
  {
    name: 'connections',
    file: 'net/netfilter/nf_conntrack_max',
    least: 65_536,
    why: 'connections of all bots',
  },
  { name: 'open files', file: 'fs/file-max', least: 200_000, why: 'files of all bots' },
];

/** What the kernel allows, against what 1,000 bots take. */
export const limits: HostCheck = {
  name: 'limits',
  run: async () => all.map((limit) => limitFinding(limit, read(limit.file))),
};

export function limitFinding({ name, file, least, why }: Limit, value: number | undefined): Finding {
  const setting = file.replaceAll('/', '.');
  if (value === undefined) return warn(name, `${setting} cannot be read`, 'Is the module loaded?');
  if (value >= least) return ok(name, `${setting} is ${value}`);
  return warn(
    name,
    `${setting} is ${value}: 1,000 bots take ${least} (${why})`,
    `sysctl -w ${setting}=${least}`,
  );
}

function read(file: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${file}`, 'utf8'));
  } catch {
    return undefined;
  }
}
