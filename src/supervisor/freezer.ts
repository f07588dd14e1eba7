import { botProcesses, readProcessTable } from './processTree.ts';
import { signalProcess } from './signalProcess.ts';

/** How long the bot may stand still for one snapshot, milliseconds. Contract, section 4. */
export const MAX_FREEZE_MS = 200;

export interface Freezer {
  /** Stops every process of the bot; false when that was not possible. Thaws by itself after `MAX_FREEZE_MS`. */
  freeze(): boolean;
  thaw(): void;
}

/**
 * Stops the bot's processes while the last changes are read. SIGSTOP cannot be caught; a process that forks while
 * the table is read is found by reading it again until nobody new appears.
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
      for (let fresh = true; fresh; ) {
        fresh = false;
        for (const pid of botProcesses(readProcessTable(), leader)) {
          if (stopped.includes(pid) || !signalProcess(pid, 'SIGSTOP')) continue;
          stopped.push(pid);
          fresh = true;
        }
      }
      return stopped.length > 0;
    },
  };
}
