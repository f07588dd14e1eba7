import type { Action } from '../reconcile/step.ts';

/** How many steps of each sort are done at the same time. */
export interface SlotLimits {
  /** Fetching code. */
  readonly code: number;
  /** Creating and starting: what a start costs is the engine's CPU. */
  readonly start: number;
  /** Stopping, retiring, removing. */
  readonly end: number;
}

export type SlotName = keyof SlotLimits;

export function slotOf({ type }: Action): SlotName | undefined {
  switch (type) {
    case 'prepare':
      return 'code';
    case 'create':
    case 'create-run':
    case 'start':
      return 'start';
    case 'stop':
    case 'kill':
    case 'retire':
    case 'remove':
      return 'end';
    default:
      return undefined;
  }
}

/** First come, first served; but before anybody new, who has only to finish what it has begun. */
export interface Slots {
  /** Resolves when there is room; the result gives it back. */
  take(name: SlotName, hasBegun?: boolean): Promise<() => void>;
  waiting(name: SlotName): number;
}

export function createSlots(limits: SlotLimits): Slots {
  const free: Record<SlotName, number> = { ...limits };
  const queue = () => ({ begun: [] as (() => void)[], others: [] as (() => void)[] });
  const queues = { code: queue(), start: queue(), end: queue() };
  const give = (name: SlotName) => () => {
    const { begun, others } = queues[name];
    const next = begun.shift() ?? others.shift();
    if (next === undefined) free[name] += 1;
    else next();
  };
  return {
    take: async (name, hasBegun = false) => {
      if (free[name] > 0) free[name] -= 1;
      else await new Promise<void>((resolve) => queues[name][hasBegun ? 'begun' : 'others'].push(resolve));
      return give(name);
    },
    waiting: (name) => queues[name].begun.length + queues[name].others.length,
  };
}
