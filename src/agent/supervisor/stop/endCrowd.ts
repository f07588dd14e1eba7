import type { Clock } from '../../../base/clock.ts';
import { leftovers, readProcessTable, subtrees } from '../../../base/process/processTree.ts';
import { signalProcess } from '../../../base/process/signalProcess.ts';
import { isCrowded, refusedProcesses } from '../../process/processLimit.ts';
import { ownsNamespace } from './ownNamespace.ts';

/** A bot whose processes fill the container does not end in order: it forks faster than it dies. */
const LOOK_MS = 250;
const LOOKS = 4;

/**
 * Watches, while a bot is being stopped, whether it has nearly as many processes as there may be and wants more, and ends all but us and
 * `helpers` when it still does after a second. A small limit that a bot fills in good order costs it nothing of its grace: it is refused
 * no process. Resolves with whether all were ended. `over` ends the watch.
 */
export async function endCrowd(
  helpers: () => readonly number[],
  clock: Clock,
  over: AbortSignal,
): Promise<boolean> {
  if (!ownsNamespace()) return false;
  const refused = refusedProcesses();
  for (let looks = 0; looks < LOOKS || refusedProcesses() === refused; ) {
    await clock.sleep(LOOK_MS, over).catch(() => undefined);
    if (over.aborted) return false;
    looks = isCrowded() ? looks + 1 : 0;
  }
  endAllBut(helpers());
  return true;
}

/**
 * All of them stand still first, by one call: the kernel forks nothing while it signals everybody, so that the table of processes is
 * complete afterwards, and there is a processor to read it with. It spares us and the container's first process; helpers go on at once.
 */
export function endAllBut(helpers: readonly number[]): void {
  signalProcess(-1, 'SIGSTOP');
  for (const pid of helpers) signalProcess(pid, 'SIGCONT');
  const table = readProcessTable();
  for (const pid of leftovers(table, process.pid, helpers)) signalProcess(pid, 'SIGKILL');
  for (const pid of subtrees(table, helpers)) signalProcess(pid, 'SIGCONT');
}
