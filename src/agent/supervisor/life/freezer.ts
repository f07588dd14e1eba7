import { botProcesses, readProcessTable } from '../../../base/process/processTree.ts';
import { signalProcess } from '../../../base/process/signalProcess.ts';

/** How long the bot may stand still for one snapshot, milliseconds. Contract, section 4. */
export const MAX_FREEZE_MS = 200;
/** Looks at the table of processes. A bot that has new processes at each of them forks faster than it can be stopped. */
const MAX_PASSES = 20;

export interface Freezer {
  /** Stops every process of the bot; false where that was not possible. They continue by themselves after `MAX_FREEZE_MS`. */
  freeze(): boolean;
  thaw(): void;
}

/**
 * Stops the bot's processes while the last changes are read. SIGSTOP cannot be caught. A process that is forked while the table is
 * read is found in the next look at the table, and looks go on until one finds no new process. Processes that were stopped before
 * stay stopped afterwards.
 */
export function createFreezer(group: () => number | undefined): Freezer {
  let stopped: number[] = [];
  let timer: NodeJS.Timeout | undefined;

  const thaw = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const pid of stopped) signalProcess(pid, 'SIGCONT');
    stopped = [];
  };

  return {
    thaw,
    freeze: () => {
      thaw();
      const leader = group();
      if (leader === undefined) return false;
      timer = setTimeout(thaw, MAX_FREEZE_MS);
      let table = readProcessTable();
      const seen = new Set(table.filter(({ state }) => state === 'T').map(({ pid }) => pid));
      for (let pass = 0; pass < MAX_PASSES; pass += 1) {
        const fresh = botProcesses(table, leader).filter((pid) => !seen.has(pid));
        if (fresh.length === 0) return stopped.length > 0;
        for (const pid of fresh) if (signalProcess(pid, 'SIGSTOP')) stopped.push(pid);
        for (const pid of fresh) seen.add(pid);
        table = readProcessTable();
      }
      thaw();
      return false;
    },
  };
}
