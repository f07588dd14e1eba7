import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Who made a container, as a label: `boot id, pid namespace, pid, start time`. What can be proved from it is that this process is
 * gone; where nothing can be proved, it lives.
 */
export function ownLabel(pid = process.pid): string {
  return [bootId(), pidNamespace(), pid, startTime(pid)].join(' ');
}

/** False only for proof: the machine has started anew since, or the process is not there any more. */
export function mayLive(label: string): boolean {
  const [boot, namespace, pid, started] = label.split(' ');
  if (boot !== bootId()) return false;
  if (namespace !== pidNamespace()) return true;
  return startTime(Number(pid)) === started;
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id') ?? 'unknown';
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return 'unknown';
  }
}

/** In clock ticks since the boot: another process of the same number has another one. */
function startTime(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name may hold blanks and brackets.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
