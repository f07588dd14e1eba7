import { systemClock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Config } from '../../bot/config/config.ts';
import { botId } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { openStores } from '../../store/openStores.ts';
import { readIds } from '../sources/the0/readIds.ts';

export interface GarbageOptions {
  readonly config: Config;
  readonly uri: string;
  readonly dryRun: boolean;
  readonly say: (line: string) => void;
  /** How long what is left must have lain there; seven days. */
  readonly graceMs?: number;
}

const GRACE_MS = 7 * 24 * 3_600_000;
const MOST_SHARE = 0.1;

/** Where a bot's objects lie. */
const places = [
  { bucket: 'state', prefix: '' },
  { bucket: 'logs', prefix: 'logs/' },
] as const;

interface Left {
  readonly keys: { readonly bucket: 'state' | 'logs'; readonly key: string }[];
  /** By the store's clock. */
  newest: number;
}

/**
 * Removes what is left in the store of bots that the database no longer has. Throws `refused` when the database has none, or when
 * more than a tenth of the bots in the store would go: then it is the database that is to be doubted.
 */
export async function collectGarbage(options: GarbageOptions, signal: AbortSignal): Promise<void> {
  const known = await readIds(options.uri, signal);
  if (known.size === 0)
    throw new RuntimeError('refused', 'the database has no bot at all: nothing is removed', {
      op: 'gc.collect',
    });
  const stores = openStores(options.config, { clock: systemClock, random: Math.random });
  try {
    const opened = { state: await stores.open('state'), logs: await stores.open('logs') };
    const left = await whatIsThere(opened, signal);
    const now = await opened.state.now({ signal });
    const unknown = [...left].filter(([bot]) => !known.has(bot));
    if (unknown.length > Math.max(1, left.size * MOST_SHARE))
      throw new RuntimeError(
        'refused',
        `${unknown.length} of ${left.size} bots in the store are not in the database`,
        {
          op: 'gc.collect',
          hint: 'Is it the right database? Remove them by hand if so: more than a tenth at once is not believed.',
        },
      );
    for (const [bot, { keys, newest }] of unknown) {
      if (now - newest < (options.graceMs ?? GRACE_MS)) continue;
      options.say(`${options.dryRun ? 'would remove' : 'removing'} ${keys.length} objects of ${bot}`);
      if (!options.dryRun) for (const { bucket, key } of keys) await opened[bucket].delete(key, { signal });
    }
  } finally {
    await stores.close();
  }
}

async function whatIsThere(
  stores: Record<'state' | 'logs', ObjectStore>,
  signal: AbortSignal,
): Promise<Map<string, Left>> {
  const left = new Map<string, Left>();
  for (const { bucket, prefix } of places) {
    for await (const { key, modified } of stores[bucket].list(prefix, { signal })) {
      const [bot = '', ...rest] = key.slice(prefix.length).split('/');
      if (rest.length === 0 || botId.parse(bot) === undefined) continue;
      const own = left.get(bot) ?? { keys: [], newest: 0 };
      own.keys.push({ bucket, key });
      own.newest = Math.max(own.newest, modified);
      left.set(bot, own);
    }
  }
  return left;
}
