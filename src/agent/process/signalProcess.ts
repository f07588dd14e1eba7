import { systemCode } from '../../base/errors.ts';

/** Sends a signal; false when there is nobody to get it (any more). A negative pid names a process group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    // EPERM: the bot's process has become another user's (a setuid program); it is not ours to signal.
    if (systemCode(error) === 'EPERM') return false;
    throw error;
  }
}
