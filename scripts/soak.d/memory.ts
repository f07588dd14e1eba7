import { setTimeout as sleep } from 'node:timers/promises';
import { roleOf } from '../../test/support/roleOf.ts';
import { anonymousMiB } from '../bench.d/lib.ts';

const EVERY_MS = 5000;
/** What a process may have more at the end than in the first minute, MiB. */
const GROWTH_MIB = 6;
/** Below this there is no first minute to compare with. */
const LEAST_MS = 120_000;

/** Follows the memory of a life in which nobody is killed; what grew is in the result, in words. */
export async function watchMemory(
  supervisor: number,
  forMs: number,
  print: (line: string) => void,
): Promise<string[]> {
  const pids = { supervisor, daemon: roleOf(supervisor, 'daemon'), query: roleOf(supervisor, 'query') };
  const seen = Object.entries(pids).map(([name, pid]) => ({ name, pid, early: 0, late: 0 }));
  const startedAt = Date.now();
  for (let at = 0; at < forMs; at = Date.now() - startedAt) {
    await sleep(Math.min(EVERY_MS, forMs - at));
    for (const process of seen) {
      const now = read(process.pid);
      if (at < forMs / 3) process.early = Math.max(process.early, now);
      else process.late = Math.max(process.late, now);
    }
  }
  const text = seen.map(({ name, early, late }) => `${name} ${early.toFixed(1)} → ${late.toFixed(1)} MiB`);
  print(`memory over ${Math.round(forMs / 1000)} s, first third and after: ${text.join(', ')}`);
  if (forMs < LEAST_MS) return [];
  return seen
    .filter(({ early, late }) => late > early + GROWTH_MIB)
    .map(({ name, early, late }) => `${name} grew from ${early.toFixed(1)} to ${late.toFixed(1)} MiB`);
}

function read(pid: number | undefined): number {
  try {
    return pid === undefined ? 0 : anonymousMiB(pid);
  } catch {
    return 0;
  }
}
