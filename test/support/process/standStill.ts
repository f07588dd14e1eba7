import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** SIGSTOP; resolves once all of the process stands still: each of its threads does when it is its turn, and runs on until then. */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  while (threadsOf(pid).some((state) => state !== 'T')) await sleep(1);
}

/** The state of each of its threads, as a letter. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      return text.charAt(text.lastIndexOf(')') + 2);
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
