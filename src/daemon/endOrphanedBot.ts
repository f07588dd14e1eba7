import type { Clock } from '../clock.ts';
import { systemCode } from '../errors.ts';

/** Between SIGTERM and SIGKILL, milliseconds: all is over within 5 s of the supervisor's death (contract, section 5). */
const GRACE_MS = 3000;
const POLL_MS = 50;

/** Ends a bot whose supervisor has died. Resolves when its group is empty. */
export async function endOrphanedBot(group: number, clock: Clock): Promise<void> {
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      process.kill(-group, name);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EPERM') return false;
      throw error;
    }
  };
  // It may have been stopped for a snapshot when the supervisor died.
  signal('SIGCONT');
  signal('SIGTERM');
  const until = clock.now() + GRACE_MS;
  while (clock.now() < until && signal(0)) await clock.sleep(POLL_MS);
  signal('SIGKILL');
}
