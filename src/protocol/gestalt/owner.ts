import { readFileSync, readlinkSync } from 'node:fs';

const UNKNOWN = '?';

/**
 * Who made a container, as a label: `machine, boot id, pid namespace, pid, start time`, `?` for what cannot be read (inside
 * gestaltd's sandbox nothing of /proc can). What can be proved from it is that this process is gone; where nothing can be proved, it
 * lives.
 */
export function ownLabel(pid = process.pid): string {
  return [machine(), bootId(), pidNamespace(), pid, startTime(pid) ?? UNKNOWN].join(' ');
}

/**
 * False only for proof: the machine has started anew since, or the process is not there any more. `isLocal`: the engine is reached
 * by a socket of this machine, so what it runs was made here; over a network another machine's provider may have made it.
 */
export function mayLive(label: string, isLocal: boolean): boolean {
  const [machineThen = '', boot = '', namespace = '', pid = '', started = ''] = label.split(' ');
  if (!/^[1-9]\d*$/.test(pid) || started === '') return true;
  if (!isLocal && (machineThen === UNKNOWN || machineThen !== machine())) return true;
  if (differ(boot, bootId())) return false;
  // Processes of another namespace cannot be seen.
  if (namespace === UNKNOWN || namespace !== pidNamespace()) return true;
  return isThere(Number(pid)) && !differ(started, startTime(Number(pid)) ?? UNKNOWN);
}

/** What is unknown differs from nothing. */
const differ = (one: string, other: string) => one !== UNKNOWN && other !== UNKNOWN && one !== other;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const machine = () => read('/etc/machine-id') ?? UNKNOWN;
const bootId = () => read('/proc/sys/kernel/random/boot_id') ?? UNKNOWN;

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '') || UNKNOWN;
  } catch {
    return UNKNOWN;
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
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
