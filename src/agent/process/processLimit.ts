import { readFileSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.ts';

/** Where a container sees how many processes and threads it may have: version 2 of cgroups, then version 1. */
const FILES = ['/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'];

/** Processes and threads of the runtime: tini, the guard, the supervisor with 8, the daemon with 7, and what makes the pipes. */
export const OWN_PROCESSES = 18;

/** From here on the bot will hardly leave us too few. */
const PLENTY = 100;

/** Where it sees how many there are. */
const NOW = ['/sys/fs/cgroup/pids.current', '/sys/fs/cgroup/pids/pids.current'];

/** Where it counts those that it refused. */
const REFUSED = ['/sys/fs/cgroup/pids.events', '/sys/fs/cgroup/pids/pids.events'];

/** From this share of the limit on there is hardly room for another one. */
const CROWDED = 0.8;

/** Where the limit of a user lies, RLIMIT_NPROC, which counts all that this user runs on the machine, and does not hold for root. */
const LIMITS = '/proc/self/limits';

/** How many processes and threads there may be; undefined: no limit, or the system does not say. */
export function processLimit(
  files: readonly string[] = FILES,
  ofUser: string | undefined = process.getuid?.() === 0 ? undefined : LIMITS,
): number | undefined {
  const limits = [numberIn(files), ofUser === undefined ? undefined : userLimit(ofUser)];
  const least = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(least) ? least : undefined;
}

function userLimit(file: string): number | undefined {
  const soft = /^Max processes +(\d+) /m.exec(textOf(file) ?? '')?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** Whether the container has nearly as many processes and threads as it may; false where the system does not say. */
export function isCrowded(limits: readonly string[] = FILES, now: readonly string[] = NOW): boolean {
  const [limit, count] = [numberIn(limits), numberIn(now)];
  return limit !== undefined && count !== undefined && count >= limit * CROWDED;
}

/** How many were refused so far for want of room, as in `max 12`; 0 where the system does not say. */
export function refusedProcesses(files: readonly string[] = REFUSED): number {
  const text = files.map(textOf).find((found) => found !== undefined);
  return Number(/^max (\d+)$/mu.exec(text ?? '')?.[1] ?? 0);
}

function numberIn(files: readonly string[]): number | undefined {
  const text = files.map(textOf).find((found) => found !== undefined);
  return text === undefined || text === 'max' ? undefined : Number(text);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    // Another version of cgroups, or none.
    return undefined;
  }
}

/** Whether a bot could take what we need before we have it. */
export const isScarce = (limit: number | undefined): boolean => limit !== undefined && limit < PLENTY;

/** Throws `config` where not even the runtime has room, let alone a bot. */
export function requireProcesses(limit: number | undefined): void {
  if (limit === undefined || limit > OWN_PROCESSES) return;
  throw new RuntimeError(
    'config',
    `${limit} processes and threads are allowed, and the runtime alone needs ${OWN_PROCESSES}`,
    { op: 'start.prepare', hint: 'Allow the container more: docker run --pids-limit, or --ulimit nproc.' },
  );
}
