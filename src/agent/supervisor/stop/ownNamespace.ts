import { readFileSync } from 'node:fs';

const INITS = ['tini', 'docker-init', 'dumb-init', 'catatonit'];

/**
 * Whether every process that we see is ours to end: we are a container's first process, or the child of one of the
 * inits that do nothing but reap. On a host, or with the host's PID namespace, this is false.
 */
export function ownsNamespace(pid = process.pid, parent = process.ppid): boolean {
  if (pid === 1) return true;
  if (parent !== 1) return false;
  try {
    return INITS.includes(readFileSync('/proc/1/comm', 'utf8').trim());
  } catch {
    return false;
  }
}
