import type { Sandbox } from '../sandboxes.ts';

/** What sandboxes take of a host, and what it has. Thousandths of a core, bytes, sandboxes. */
export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly slots: number;
}

export const AMOUNTS = ['cpuMillis', 'memoryBytes', 'diskBytes', 'slots'] as const;
export const nothing: Amounts = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, slots: 0 };

export function sum(all: Iterable<Amounts>): Amounts {
  const total = { ...nothing };
  for (const one of all) for (const what of AMOUNTS) total[what] += one[what];
  return total;
}

export function amountsOf({ cpuMillis, memoryBytes, diskBytes }: Omit<Amounts, 'slots'>): Amounts {
  return { cpuMillis, memoryBytes, diskBytes, slots: 1 };
}

/** One that does not run keeps its place and its disk, and nothing else. */
export function heldBy({ status, resources }: Pick<Sandbox, 'status' | 'resources'>): Amounts {
  const all = amountsOf(resources);
  const runs = status === 'running' || status === 'provisioning' || status === 'pending';
  return runs ? all : { ...all, cpuMillis: 0, memoryBytes: 0 };
}
