import type { Clock } from '../../base/clock.ts';
import { signalProcess } from '../../base/process/signalProcess.ts';
import { groupMembers } from './groupMembers.ts';

/** Between SIGTERM and SIGKILL, milliseconds: all is over within 5 s of the supervisor's death (contract, section 5). */
const GRACE_MS = 3000;
const POLL_MS = 50;

/** Ends process groups whose supervisor has died, with all their descendants. */
export async function endGroups(groups: readonly number[], clock: Clock): Promise<void> {
  const members = groupMembers(groups);
  for (const pid of members.found) {
    signalProcess(pid, 'SIGTERM');
    // The guard has stopped it, or it stood still for a snapshot when the supervisor died.
    signalProcess(pid, 'SIGCONT');
  }
  const until = clock.elapsed() + GRACE_MS;
  while (clock.elapsed() < until && members.living().length > 0) await clock.sleep(POLL_MS);
  for (const pid of members.living()) signalProcess(pid, 'SIGKILL');
}
