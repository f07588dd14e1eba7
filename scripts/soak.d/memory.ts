import { setTimeout as sleep } from 'node:timers/promises';
import { roleOf } from '../../test/support/process/roleOf.ts';
import { anonymousMiB } from '../bench.d/lib.ts';

const EVERY_MS = 5000;
/** What a process may have more in the last third than in the one before, MiB: the first is its start. */
const GROWTH_MIB = 6;
/** Below this the thirds are too short to compare. */
const LEAST_MS = 120_000;

/** Follows the memory of a life in which nobody is killed; what grew is in the result, in words. */
export async function watchMemory(
  supervisor: number,
  forMs: number,
  print: (line: string) => void,
): Promise<string[]> {
  // Looked up each time: on a busy machine a helper comes late.
  const pids = {
    supervisor: () => supervisor,
    daemon: () => roleOf(supervisor, 'daemon'),
    query: () => roleOf(supervisor, 'query'),
  };
  const seen = Object.entries(pids).map(([name, pid]) => ({ name, pid, thirds: [0, 0, 0] }));
  const startedAt = Date.now();
  for (let at = 0; at < forMs; at = Date.now() - startedAt) {
    await sleep(Math.min(EVERY_MS, forMs - at));
    for (const process of seen) {
      const now = read(process.pid());
      const third = Math.min(2, Math.floor((3 * at) / forMs));
      process.thirds[third] = Math.max(process.thirds[third]!, now);
    }
  }
  const figures = (thirds: readonly number[]) => thirds.map((mib) => mib.toFixed(1)).join(', ');
  print(`most memory in each third of ${Math.round(forMs / 1000)} s, MiB:`);
  for (const { name, thirds } of seen) print(`  ${name} ${figures(thirds)}`);
  const missing = seen
    .filter(({ thirds }) => Math.max(...thirds) === 0)
    .map(({ name }) => `${name} was never there to be measured`);
  if (forMs < LEAST_MS) return missing;
  const growing = seen
    .filter(({ thirds: [, before = 0, last = 0] }) => last > before + GROWTH_MIB)
    .map(({ name, thirds }) => `${name} grows: ${figures(thirds)} MiB`);
  return [...missing, ...growing];
}

function read(pid: number | undefined): number {
  try {
    return pid === undefined ? 0 : anonymousMiB(pid);
  } catch {
    return 0;
  }
}
