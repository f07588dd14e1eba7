import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessTable } from '../../../src/base/process/processTree.ts';

/** SIGSTOP; resolves once the process stands still, which is when it is its turn. */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  while (readProcessTable().find((entry) => entry.pid === pid)?.state !== 'T') await sleep(1);
}
