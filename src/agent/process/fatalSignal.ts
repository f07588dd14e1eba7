import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Owner } from '../../base/owner.ts';

/** The kernel's: a process that is on its way out; one that a signal has ended. */
const PF_EXITING = 0x4;
const PF_SIGNALED = 0x400;
/** From the end of its outputs to the end of a process, milliseconds; a core may be busy with others meanwhile. */
const WAIT_MS = 200;

/**
 * The number of the signal that has ended this child of ours, as long as nobody has taken note of its end: Node tells a real-time
 * signal from no signal no more than an end by itself. Undefined where it lives, has ended otherwise, or cannot be seen. To be asked
 * when its output has ended, in the same turn of the event loop: then the kernel still has it. `user` is whom it runs as.
 */
export function fatalSignal(pid: number, user: Owner | undefined): number | undefined {
  try {
    for (let waited = 0; waited < WAIT_MS; waited++) {
      const { state, flags, status } = parse(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      if (!(flags & PF_SIGNALED) || !(flags & PF_EXITING)) return undefined;
      if (state === 'Z') return (status || statusAs(user, pid)) & 0x7f || undefined;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  } catch {
    // It is gone, or there is no /proc.
  }
  return undefined;
}

/** Root without CAP_SYS_PTRACE is not told how a process of somebody else's has ended, who is told of their own. */
function statusAs(user: Owner | undefined, pid: number): number {
  if (!user) return 0;
  const script = `read -r line < /proc/${pid}/stat && echo "$line"`;
  const { stdout } = spawnSync('/bin/sh', ['-c', script], { ...user, cwd: '/', env: {}, timeout: 2000 });
  return parse(stdout.toString('latin1')).status;
}

function parse(stat: string): { readonly state: string; readonly flags: number; readonly status: number } {
  // The name may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', flags: Number(fields[6]), status: Number(fields[49]) };
}
