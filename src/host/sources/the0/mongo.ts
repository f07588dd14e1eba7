import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { MongoClient } from '../../../base/parts/mongodb.ts';
import type { Entry, Listing, Source } from '../source.ts';
import { documentToEntry, type The0Defaults } from './document.ts';
import type { BotCollection } from './event.ts';

export interface MongoOptions {
  /** `mongodb://…`; may hold a password. */
  readonly uri: string;
  readonly natsUrl: string | undefined;
  readonly defaults: The0Defaults;
  /** How often both collections are read, milliseconds. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const collections = {
  realtime: ['bot_runner', 'bots'],
  scheduled: ['bot_scheduler', 'bot_schedules'],
} as const;

const TIME_LIMIT_MS = 10_000;

/** The0's database: both collections are the bots. With NATS, what its API tells is written there first. */
export function openMongoSource(options: MongoOptions): Source {
  const { clock } = options;
  const client = new MongoClient(options.uri, {
    serverSelectionTimeoutMS: TIME_LIMIT_MS,
    socketTimeoutMS: TIME_LIMIT_MS,
    maxPoolSize: 4,
  });
  const collection = (type: 'realtime' | 'scheduled') => {
    const [database, name] = collections[type];
    return client.db(database).collection(name);
  };
  /** An entry is the same object for as long as its document is the same. */
  let known = new Map<string, { text: string; entry: Entry; name: string }>();
  let wake: () => void = () => undefined;

  async function list(): Promise<Listing> {
    const next: typeof known = new Map();
    for (const type of ['realtime', 'scheduled'] as const) {
      const documents = await collection(type)
        .find({}, { projection: { next_execution_time: 0 } })
        .toArray();
      for (const { _id, ...document } of documents) {
        const text = JSON.stringify(document);
        const key = `${type} ${String(document.id)}`;
        const before = known.get(key);
        const read =
          before?.text === text ? before : documentToEntry(document, type, options.defaults, clock.now());
        if (read === undefined)
          options.log.warn(`a document without an id in ${collections[type].join('.')}`);
        else next.set(key, { text, name: read.name, entry: read.entry });
      }
    }
    known = next;
    const listing = new Map<string, Entry>();
    for (const { name, entry } of next.values()) {
      const problems = [`it is both a realtime and a scheduled bot`];
      listing.set(name, listing.has(name) ? { problems, origin: entry.origin } : entry);
    }
    return listing;
  }

  const typeOf = (bot: string) => {
    const type = (['realtime', 'scheduled'] as const).find((one) => known.has(`${one} ${bot}`));
    if (type === undefined) throw new RuntimeError('not-found', `neither collection has the bot ${bot}`);
    return type;
  };

  return {
    label: withoutPassword(options.uri),
    writer: {
      apply: async () => {
        throw new RuntimeError('refused', 'bots are made by the0’s API', {
          hint: 'Use its CLI or its page.',
        });
      },
      enable: async (bot, enabled) => {
        // The API writes `config` anew; what stands beside it is ours to keep.
        await collection(typeOf(bot)).updateOne({ id: bot }, { $set: { enabled } });
        wake();
      },
      remove: async (bot) => {
        await collection(typeOf(bot)).deleteOne({ id: bot });
        wake();
      },
    },
    noteNextTimes: async (times) => {
      const updates = [...times].map(([id, next]) => ({
        updateOne: { filter: { id }, update: { $set: { next_execution_time: Math.floor(next / 1000) } } },
      }));
      await collection('scheduled')
        .bulkWrite(updates, { ordered: false })
        .catch((error: unknown) => {
          throw away(options.uri, error);
        });
    },
    run: async (observer, signal) => {
      const events = options.natsUrl === undefined ? undefined : follow(options.natsUrl, signal);
      while (!signal.aborted) {
        // Before anything is read: what changes while it is read may not be in it.
        const told = new Promise<void>((resolve) => {
          wake = resolve;
        });
        try {
          observer.listed(await list());
        } catch (error) {
          if (!signal.aborted) observer.failed(away(options.uri, error));
        }
        const rest = new AbortController();
        const pause = clock
          .sleep(options.everyMs, AbortSignal.any([signal, rest.signal]))
          .catch(() => undefined);
        await Promise.race([told, pause]);
        rest.abort();
      }
      await events;
      await client.close();
    },
  };

  async function follow(url: string, signal: AbortSignal): Promise<void> {
    const { followEvents } = await import('./events.ts');
    await followEvents(
      {
        url,
        collection: (type) => collection(type) as unknown as BotCollection,
        holdsBots: async () =>
          (await collection('realtime').findOne({})) !== null ||
          (await collection('scheduled').findOne({})) !== null,
        changed: () => wake(),
        clock,
        log: options.log,
      },
      signal,
    );
  }
}

function withoutPassword(uri: string): string {
  return uri.replace(/\/\/[^@/]*@/, '//');
}

function away(uri: string, error: unknown): RuntimeError {
  const message = (error as Error).message.replaceAll(uri, withoutPassword(uri));
  return new RuntimeError('unavailable', `MongoDB does not answer: ${message}`, {
    op: 'source.list',
    retryable: true,
    cause: error,
  });
}
