import { setTimeout as sleep } from 'node:timers/promises';
import { anonymousMiB } from '../../bench.d/lib.ts';
import type { Replicas } from './replicas.ts';

const EVERY_MS = 5_000;
/** What a host may have more at the end of the last third than of the one before, MiB: the first is its start. */
const GROWTH_MIB = 12;
/** Below this the thirds are too short to compare. */
const LEAST_MS = 120_000;

/** Follows the memory of replicas of which none is killed; what grew is in the result, in words. Median of each third. */
export async function followMemory(
  replicas: Replicas,
  forMs: number,
  print: (line: string) => void,
): Promise<string[]> {
  const seen = replicas.all.map((replica, i) => ({
    replica,
    name: `replica ${i}`,
    pid: replica.host().pid,
    thirds: [[], [], []] as number[][],
  }));
  const began = Date.now();
  for (let at = 0; at < forMs; at = Date.now() - began) {
    await sleep(Math.min(EVERY_MS, forMs - at));
    const third = Math.min(2, Math.floor((3 * at) / forMs));
    for (const { replica, pid, thirds } of seen)
      if (replica.host().pid === pid) thirds[third]!.push(anonymousMiB(pid));
  }
  print(`memory in each third of ${Math.round(forMs / 1000)} s, MiB, median:`);
  const problems: string[] = [];
  for (const { name, replica, pid, thirds } of seen) {
    if (replica.host().pid !== pid) problems.push(`${name} ended, and nobody had killed it`);
    const figures = thirds.map(middle);
    const text = figures.map((mib) => mib.toFixed(1)).join(', ');
    print(`  ${name} ${text}`);
    if (forMs >= LEAST_MS && figures[2]! > figures[1]! + GROWTH_MIB)
      problems.push(`${name} grows: ${text} MiB`);
  }
  return problems;
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
