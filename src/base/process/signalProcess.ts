import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { systemCode } from '../errors.ts';

/** Sends a signal; false where no such process exists (any more). A negative pid names a process group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    if (systemCode(error) === 'EPERM') return process.geteuid?.() === 0 && signalAsOwner(pid, signal);
    throw error;
  }
}

/** The longest that may take, milliseconds. */
const LIMIT_MS = 2000;

/**
 * Root without CAP_KILL: only whose process it is may signal it. Some 2 ms. An ordinary user has no such way, nor should they: there it
 * is a bot's process that has become another user's (a setuid program).
 */
function signalAsOwner(pid: number, signal: NodeJS.Signals): boolean {
  try {
    const { uid, gid } = statSync(`/proc/${Math.abs(pid)}`);
    const kill = ['-c', `kill -${constants.signals[signal]} ${pid}`];
    return (
      spawnSync('/bin/sh', kill, { uid, gid, cwd: '/', env: {}, stdio: 'ignore', timeout: LIMIT_MS })
        .status === 0
    );
  } catch {
    // Its leader is gone, and with it what would say whose the group is.
    return false;
  }
}
