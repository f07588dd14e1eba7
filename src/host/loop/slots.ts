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

/** First come, first served. */
export interface Slots {
  /** Resolves when there is room; the result gives it back. */
  take(name: SlotName): Promise<() => void>;
  waiting(name: SlotName): number;
}

export function createSlots(limits: SlotLimits): Slots {
  const free: Record<SlotName, number> = { ...limits };
  const queues: Record<SlotName, (() => void)[]> = { code: [], start: [], end: [] };
  const give = (name: SlotName) => () => {
    const next = queues[name].shift();
    if (next === undefined) free[name] += 1;
    else next();
  };
  return {
    take: async (name) => {
      if (free[name] > 0) free[name] -= 1;
      else await new Promise<void>((resolve) => queues[name].push(resolve));
      return give(name);
    },
    waiting: (name) => queues[name].length,
  };
}
