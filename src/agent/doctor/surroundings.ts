import { readFileSync } from 'node:fs';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { areFilesScarce, fileLimit, OWN_FILES, requireFiles } from '../process/fileLimit.ts';
import { isScarce, OWN_PROCESSES, processLimit, requireProcesses } from '../process/processLimit.ts';
import type { Check } from './check.ts';

const INITS = ['tini', 'docker-init', 'dumb-init', 'catatonit', 'systemd', 'init'];
const LIMITS = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];
/** Version 2 of cgroups: 1 where the kernel kills all of them as soon as one has to go. */
const TOGETHER = '/sys/fs/cgroup/memory.oom.group';
const MIB = 1024 * 1024;
/** Supervisor and daemon, and a small bot beside them. Bytes. */
const LEAST_BYTES = 64 * MIB;
/** Version 1 of cgroups says a number near 2^63 for none. */
const NONE_BYTES = 2 ** 60;

/** Who reaps orphans, how much memory there is, how many processes and open files may be. */
export const surroundings: Check = {
  name: 'surroundings',
  async run({ inPlace }) {
    return [
      ...(inPlace ? [] : [reaper(readFirst(['/proc/1/comm']))]),
      memory(readFirst(LIMITS)),
      ...together(readFirst([TOGETHER])),
      processes(processLimit(), inPlace),
      openFiles(fileLimit(), inPlace),
    ];
  },
};

export function reaper(first: string | undefined): Finding {
  if (first !== undefined && INITS.includes(first)) return ok('reaping', `${first} is the first process`);
  return warn(
    'reaping',
    `the first process is ${first ?? 'unknown'}: orphans of the bot may stay as zombies`,
    'Use the entrypoint of the image (tini), or docker run --init.',
  );
}

export function memory(limit: string | undefined): Finding {
  const bytes = limit === undefined || limit === 'max' ? Number.POSITIVE_INFINITY : Number(limit);
  if (!(bytes < NONE_BYTES)) return ok('memory', 'no limit');
  const text = `${Math.floor(bytes / MIB)} MiB`;
  if (bytes >= LEAST_BYTES) return ok('memory', `limited to ${text}`);
  return warn(
    'memory',
    `limited to ${text}`,
    `The runtime itself and a small bot need ${LEAST_BYTES / MIB} MiB.`,
  );
}

/** Kubernetes asks for it since 1.28 where nobody says otherwise. */
export function together(group: string | undefined): Finding[] {
  if (group !== '1') return [];
  return [
    warn(
      'out of memory',
      'the whole container is killed when memory runs out, the runtime with it: what is newer than the last snapshot is lost',
      'In Kubernetes: singleProcessOOMKill: true in the configuration of the kubelet.',
    ),
  ];
}

export function processes(limit: number | undefined, inPlace = false): Finding {
  if (limit === undefined) return ok('processes', 'no limit');
  try {
    requireProcesses(limit);
  } catch (error) {
    return fail('processes', error);
  }
  const left = limit - OWN_PROCESSES;
  const text = `${limit} processes and threads are allowed: the runtime needs ${OWN_PROCESSES} and leaves the bot ${left}`;
  if (!isScarce(limit)) return ok('processes', text);
  return warn(
    'processes',
    text,
    `Query server and query programs come on top. ${inPlace ? 'ulimit -u' : 'docker run --pids-limit'} allows more.`,
  );
}

export function openFiles(limit: number | undefined, inPlace = false): Finding {
  if (limit === undefined) return ok('open files', 'no limit');
  try {
    requireFiles(limit);
  } catch (error) {
    return fail('open files', error);
  }
  const text = `${limit} are allowed for each process`;
  if (!areFilesScarce(limit)) return ok('open files', text);
  return warn(
    'open files',
    `${text}: the runtime needs ${OWN_FILES} to start`,
    `${inPlace ? 'ulimit -n 1024' : 'docker run --ulimit nofile=1024'} allows more.`,
  );
}

function readFirst(files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      // Another version of cgroups, or none.
    }
  }
  return undefined;
}
