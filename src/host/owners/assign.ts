import { isSamePlace, type OwnerHost, type Table } from './owners.ts';

export interface Wishes {
  /** Bots that this host would start, or has running. */
  readonly take: Iterable<string>;
  /** Bots of which nothing is left here. */
  readonly leave: Iterable<string>;
  /** As what `me` was known before: what that one has is `me`'s. */
  readonly former?: string | undefined;
  /** What this one has is free. */
  readonly isGone: (host: OwnerHost) => boolean;
}

/**
 * The table once `me` has taken what is nobody's, only a gone host's or that of another one on its own engine, and has given up its own
 * of what it leaves; undefined: it stays as it is.
 */
export function assign(
  table: Table,
  me: OwnerHost,
  { take, leave, former, isGone }: Wishes,
): Table | undefined {
  const owners = new Map(table.owners);
  let changes = 0;
  for (const [bot, keys] of former === undefined ? [] : table.owners) {
    if (!keys.includes(former!)) continue;
    owners.set(bot, [...without(keys, former!, me.key), me.key]);
    changes += 1;
  }
  for (const bot of leave) {
    const keys = owners.get(bot) ?? [];
    if (!keys.includes(me.key)) continue;
    keep(owners, bot, without(keys, me.key));
    changes += 1;
  }
  for (const bot of take) {
    const keys = owners.get(bot) ?? [];
    if (keys.includes(me.key)) continue;
    const others = keys.flatMap((key) => table.hosts.get(key) ?? []).filter((host) => !isGone(host));
    if (others.some((host) => !isSamePlace(host, me))) continue;
    owners.set(bot, [...others.map(({ key }) => key), me.key]);
    changes += 1;
  }
  return changes === 0 ? undefined : { hosts: named(owners, new Map(table.hosts).set(me.key, me)), owners };
}

/** The table without these hosts; undefined: they have nothing in it. */
export function withoutHosts(table: Table, gone: ReadonlySet<string>): Table | undefined {
  if (![...table.hosts.keys()].some((key) => gone.has(key))) return undefined;
  const owners = new Map(table.owners);
  for (const [bot, keys] of table.owners) keep(owners, bot, without(keys, ...gone));
  return { hosts: named(owners, table.hosts), owners };
}

const without = (keys: readonly string[], ...gone: readonly string[]) =>
  keys.filter((key) => !gone.includes(key));

function keep(owners: Map<string, readonly string[]>, bot: string, keys: readonly string[]): void {
  if (keys.length === 0) owners.delete(bot);
  else owners.set(bot, keys);
}

/** Those that have something. */
function named(owners: Table['owners'], hosts: Table['hosts']): Table['hosts'] {
  const used = new Set([...owners.values()].flat());
  return new Map([...hosts].filter(([key]) => used.has(key)));
}
