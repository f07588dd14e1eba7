import * as v from 'valibot';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { getBytes } from '../../store/readAll.ts';
import { nobody, type Table } from './owners.ts';

/** A table as it was read. `tag` undefined: there is none yet. */
export interface ReadTable {
  readonly table: Table;
  readonly tag: string | undefined;
}

/** Errors: those of the store, `damaged` for a table that cannot be read. */
export interface OwnersTable {
  /** `known`: given back as it is where the store still has that one. */
  read(known: ReadTable | undefined, signal: AbortSignal): Promise<ReadTable>;
  /** Over exactly the one that was read. Throws `conflict`. */
  write(table: Table, over: ReadTable, signal: AbortSignal): Promise<ReadTable>;
}

/** 100,000 bots of long names. */
const MOST_BYTES = 16 * 2 ** 20;

const text = v.pipe(v.string(), v.maxLength(300));
const schema = v.object({
  version: v.literal(1),
  hosts: v.array(
    v.object({ key: text, host: text, engine: text, machine: text, name: text, bots: v.array(text) }),
  ),
});

/**
 * What hosts tell one another, in the bucket of states: whoever writes a bot's state is in it, whatever else he has of his own. No bot can have
 * this name, so none has keys to it.
 */
export const HOSTS_PREFIX = '~hosts/';

/** Each call asks `open` for the store anew: one that is away now may come. */
export function openOwnersTable(open: () => Promise<ObjectStore>, prefix: string): OwnersTable {
  const key = `${prefix}owners.json`;
  return {
    read: async (known, signal) => {
      const store = await open();
      try {
        if (known?.tag !== undefined && (await store.head(key, { signal })).etag === known.tag) return known;
        const { bytes, etag } = await getBytes(store, key, { maxBytes: MOST_BYTES, signal });
        return { table: parseTable(bytes.toString(), key), tag: etag };
      } catch (error) {
        if (isRuntimeError(error, 'not-found')) return { table: nobody, tag: undefined };
        throw error;
      }
    },
    write: async (table, { tag }, signal) => {
      const condition = tag === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: tag };
      const store = await open();
      try {
        const { etag } = await store.put(key, Buffer.from(tableText(table)), { ...condition, signal });
        return { table, tag: etag };
      } catch (error) {
        // Taken away meanwhile: to some stores there is nothing then that could match.
        if (tag === undefined || !isRuntimeError(error, 'not-found')) throw error;
        throw new RuntimeError('conflict', `${key} is gone`, { cause: error });
      }
    },
  };
}

export function tableText({ hosts, owners }: Table): string {
  const bots = new Map<string, string[]>([...hosts.keys()].map((key) => [key, []]));
  for (const [bot, keys] of owners) for (const key of keys) bots.get(key)?.push(bot);
  const listed = [...hosts.values()].map(({ key, host, engine, machine, name }) => ({
    ...{ key, host, engine, machine, name },
    bots: bots.get(key) ?? [],
  }));
  return `${JSON.stringify({ version: 1, hosts: listed })}\n`;
}

/** Throws `damaged`. */
export function parseTable(content: string, path: string): Table {
  try {
    const { hosts } = v.parse(schema, JSON.parse(content));
    const owners = new Map<string, string[]>();
    for (const { key, bots } of hosts)
      for (const bot of bots) owners.set(bot, [...(owners.get(bot) ?? []), key]);
    return { hosts: new Map(hosts.map(({ bots: _, ...host }) => [host.key, host])), owners };
  } catch (cause) {
    throw new RuntimeError('damaged', `what hosts have which bots cannot be read: ${path}`, {
      op: 'owners.read',
      path,
      hint: 'Remove it from the bucket of states: each host writes down again what it runs.',
      cause,
    });
  }
}
