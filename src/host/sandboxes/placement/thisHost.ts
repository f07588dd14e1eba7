import { statfsSync } from 'node:fs';
import type { HostApi } from '../../api/hostApi.ts';
import type { Engine } from '../../engine/engine.ts';
import { createHostFull } from '../../loop/hostFull.ts';
import type { Amounts } from './amounts.ts';
import type { HostView } from './place.ts';

export interface ThisHost {
  readonly name: string;
  readonly engine: Engine;
  readonly api: HostApi;
  /** Where the disks of sandboxes are. */
  readonly data: string;
  /** What an operator allows; 0: as much as the machine bears. */
  readonly budget: Amounts;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * How often the machine is given out where no budget is said: limits are ceilings, and most sandboxes are far below theirs most of
 * the time. When it is full all the same, `createHostFull` says so.
 */
const TIMES = { cpuMillis: 16, memoryBytes: 3, diskBytes: 2 } as const;
const USUAL_SLOTS = 1000;

/** The host that this server runs itself, as placement sees it. */
export async function thisHost(options: ThisHost): Promise<() => readonly Omit<HostView, 'used'>[]> {
  const { name, engine, api, data, budget, now, signal } = options;
  const { cpus, memoryBytes } = await engine.capacity(signal);
  const { blocks, bsize } = statfsSync(data);
  const total: Amounts = {
    cpuMillis: budget.cpuMillis || cpus * 1000 * TIMES.cpuMillis,
    memoryBytes: budget.memoryBytes || memoryBytes * TIMES.memoryBytes,
    diskBytes: budget.diskBytes || blocks * bsize * TIMES.diskBytes,
    slots: budget.slots || USUAL_SLOTS,
  };
  const full = createHostFull(data, now);
  return () => {
    const { engine: seen, draining } = api.status();
    const unfit = seen.answers ? (draining ? 'it is drained' : full.any()) : 'its engine does not answer';
    return [{ name, id: name, driver: engine.name, unfit, total }];
  };
}
