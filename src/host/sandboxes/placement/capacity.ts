import type { Resources, Sandbox, Sandboxes } from '../sandboxes.ts';
import { type Amounts, amountsOf, heldBy, nothing, sum } from './amounts.ts';
import { type Hints, type HostView, place, type Shortage } from './place.ts';

export interface CapacityOptions {
  readonly sandboxes: Pick<Sandboxes, 'all'>;
  /** The hosts, without what is used of them. */
  readonly hosts: () => readonly Omit<HostView, 'used'>[];
}

export interface Capacity {
  hosts(): readonly HostView[];
  /**
   * Holds what it takes until `write` has written it down, or failed: nobody else is given the same meanwhile. Throws
   * `NoRoom`, before `write` is called.
   */
  hold<T>(
    asked: Amounts,
    hints: Hints,
    write: (placed: { host: string; why: string }) => Promise<T>,
  ): Promise<T>;
}

/** No host has room. The message says everything: of a 503 clients read nothing else. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly short: readonly Shortage[];
  constructor(why: string, short: readonly Shortage[]) {
    super(`no host has room: ${why}`);
    this.short = short;
  }
}

export const anywhere: Hints = { driver: undefined, among: [], avoid: [] };

/** What is used is never counted up and down, but summed up anew of what there is: no failure can leave it wrong. */
export function createCapacity({ sandboxes, hosts }: CapacityOptions): Capacity {
  const held = new Set<{ readonly host: string; readonly amounts: Amounts }>();
  const views = (): HostView[] => {
    const all = hosts();
    const only = all.length === 1 ? all[0]!.name : undefined;
    const used = new Map<string, Amounts>();
    const add = (host: string | undefined, amounts: Amounts) => {
      const name = host ?? only ?? '';
      used.set(name, sum([used.get(name) ?? nothing, amounts]));
    };
    for (const sandbox of sandboxes.all()) add(only ?? sandbox.host, heldBy(sandbox));
    for (const { host, amounts } of held) add(host, amounts);
    return all.map((host) => ({ ...host, used: used.get(host.name) ?? nothing }));
  };
  return {
    hosts: views,
    hold: async (asked, hints, write) => {
      const placed = place(views(), asked, hints);
      if (placed.host === undefined) throw new NoRoom(placed.why, placed.short);
      const holding = { host: placed.host, amounts: asked };
      held.add(holding);
      try {
        return await write(placed);
      } finally {
        held.delete(holding);
      }
    },
  };
}

/** What a new one takes. */
export const ofNew = (resources: Resources): Amounts => amountsOf(resources);

/** What one that stands still takes in addition when it is resumed. */
export function ofResumed({ resources }: Pick<Sandbox, 'resources'>): Amounts {
  return { ...amountsOf(resources), diskBytes: 0, slots: 0 };
}
