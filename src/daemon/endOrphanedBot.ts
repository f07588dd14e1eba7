import type { Clock } from '../clock.ts';
import { botProcesses, readProcessTable } from '../processes/processTree.ts';
import { signalProcess } from '../processes/signalProcess.ts';

/** Between SIGTERM and SIGKILL, milliseconds: all is over within 5 s of the supervisor's death (contract, section 5). */
const GRACE_MS = 3000;
const POLL_MS = 50;

/** Ends a bot whose supervisor has died, with all its descendants. */
export async function endOrphanedBot(group: number, clock: Clock): Promise<void> {
  // All of them are found before the first is told: an orphan has lost the parent that it is found by.
  const found = botProcesses(readProcessTable(), group);
  const living = () => {
    const table = readProcessTable();
    const still = new Set(table.filter(({ state }) => state !== 'Z').map(({ pid }) => pid));
    return [...new Set([...found.filter((pid) => still.has(pid)), ...botProcesses(table, group)])];
  };
  for (const pid of found) {
    signalProcess(pid, 'SIGTERM');
    // It may have been stopped for a snapshot when the supervisor died.
    signalProcess(pid, 'SIGCONT');
  }
  const until = clock.now() + GRACE_MS;
  while (clock.now() < until && living().length > 0) await clock.sleep(POLL_MS);
  for (const pid of living()) signalProcess(pid, 'SIGKILL');
}
