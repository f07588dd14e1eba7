import type { OwnerHost, Table } from './owners.ts';

export interface Wishes {
  /** Bots that this host would start, or has running. */
  readonly take: Iterable<string>;
  /** Bots of which nothing is left here. */
  readonly leave: Iterable<string>;
  /** What this one has is free. */
  readonly isGone: (host: OwnerHost) => boolean;
}

/**
 * The table once `me` has taken what is nobody's, or only a gone host's, and has given up its own of what it leaves; undefined: it
 * stays as it is.
 */
export function assign(table: Table, me: OwnerHost, { take, leave, isGone }: Wishes): Table | undefined {
  const owners = new Map(table.owners);
  let changes = 0;
  for (const bot of leave)
    if (owners.get(bot) === me.key) {
      owners.delete(bot);
      changes += 1;
    }
  for (const bot of take) {
    const key = owners.get(bot);
    const owner = key === undefined ? undefined : table.hosts.get(key);
    if (key === me.key || (owner !== undefined && !isGone(owner))) continue;
    owners.set(bot, me.key);
    changes += 1;
  }
  return changes === 0 ? undefined : { hosts: named(owners, new Map(table.hosts).set(me.key, me)), owners };
}

/** The table without these hosts; undefined: they have nothing in it. */
export function withoutHosts(table: Table, keys: ReadonlySet<string>): Table | undefined {
  if (![...table.hosts.keys()].some((key) => keys.has(key))) return undefined;
  const owners = new Map([...table.owners].filter(([, key]) => !keys.has(key)));
  return { hosts: named(owners, table.hosts), owners };
}

/** Those that have something. */
function named(owners: Table['owners'], hosts: Table['hosts']): Table['hosts'] {
  const used = new Set(owners.values());
  return new Map([...hosts].filter(([key]) => used.has(key)));
}
