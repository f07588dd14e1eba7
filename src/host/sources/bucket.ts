import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { parseDocument } from '../../base/parts/yaml.ts';
import { botId } from '../../bot/config/parsers.ts';
import { inParallel } from '../../bot/state/read/inParallel.ts';
import type { ObjectInfo, ObjectStore } from '../../store/objectStore.ts';
import { readAll } from '../../store/readAll.ts';
import { type Draft, MAX_SPEC_BYTES, readSpec } from '../bots/readSpec.ts';
import { readApplied } from './readApplied.ts';
import type { Entry, Listing, Source, SourceWriter } from './source.ts';

export interface BucketOptions {
  readonly label: string;
  readonly store: ObjectStore;
  /** Without a slash at the end; empty: the whole bucket. */
  readonly prefix: string;
  readonly clock: Clock;
}

const LIST_EVERY_MS = 5_000;
const READS = 16;

interface Known {
  readonly etag: string;
  readonly entry: Entry;
  readonly name: string;
}

/**
 * A bucket in which each `PREFIX/<name>.yaml`, `.yml` or `.json` is a bot. Listed every 5 s; an object with another ETag is read.
 * Notifications are not asked for: this server holds the last of them back until more come.
 */
export function openBucketSource(options: BucketOptions): Source {
  const { store, clock } = options;
  const folder = options.prefix === '' ? '' : `${options.prefix}/`;
  let known = new Map<string, Known>();
  let wake: () => void = () => undefined;

  async function list(signal: AbortSignal): Promise<Listing> {
    const objects: ObjectInfo[] = [];
    for await (const object of store.list(folder, { signal })) {
      const rest = object.key.slice(folder.length);
      if (!rest.includes('/') && /\.(ya?ml|json)$/.test(rest)) objects.push(object);
    }
    const next = new Map<string, Known>();
    await inParallel(READS, objects, signal, async (object) => {
      const before = known.get(object.key);
      next.set(object.key, before?.etag === object.etag ? before : await look(object, before, signal));
    });
    known = next;
    const listing = new Map<string, Entry>();
    for (const key of [...next.keys()].sort()) {
      const { name, entry } = next.get(key)!;
      const other = listing.get(name);
      listing.set(name, other === undefined ? entry : clash(name, other, entry));
    }
    return listing;
  }

  const originOf = (key: string) => `${options.label.replace(/\/+$/, '')}/${key.slice(folder.length)}`;

  /** Only a store that does not answer is a failure of all: an object that cannot be read is that bot's affair, and is read again. */
  async function look(object: ObjectInfo, before: Known | undefined, signal: AbortSignal): Promise<Known> {
    try {
      return await read(object, before, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isRuntimeError(error, 'unavailable')) throw error;
      // Changed since it was listed: the next listing tells.
      if (before !== undefined && isRuntimeError(error, 'conflict', 'not-found'))
        return { ...before, etag: '' };
      const problems = [`cannot be read: ${asRuntimeError(error).message}`];
      const name = before?.name ?? nameOf(object.key.slice(folder.length));
      return { etag: '', name, entry: { problems, origin: originOf(object.key) } };
    }
  }

  async function read(object: ObjectInfo, before: Known | undefined, signal: AbortSignal): Promise<Known> {
    const { key, etag, size } = object;
    const fallback = before?.name ?? nameOf(key.slice(folder.length));
    const origin = originOf(key);
    if (size > MAX_SPEC_BYTES)
      return { etag, name: fallback, entry: { problems: [`longer than ${MAX_SPEC_BYTES} bytes`], origin } };
    const found = await store.get(key, { signal, ifMatch: etag });
    const draft = readSpec((await readAll(found, MAX_SPEC_BYTES)).toString('utf8'), clock.now());
    if ('problems' in draft) return { etag, name: fallback, entry: { problems: draft.problems, origin } };
    const { code, rest } = draft;
    if (code === undefined || 'path' in code)
      return { etag, name: rest.name, entry: { problems: [codeExpected], origin } };
    return { etag, name: rest.name, entry: { spec: { ...rest, code }, origin } };
  }

  return {
    label: options.label,
    writer: createWriter(
      store,
      folder,
      () => known,
      clock,
      () => wake(),
    ),
    run: async (observer, signal) => {
      while (!signal.aborted) {
        // Before anything is read: what changes while it is read may not be in it.
        const told = new Promise<void>((resolve) => {
          wake = resolve;
        });
        try {
          observer.listed(await list(signal));
        } catch (error) {
          if (signal.aborted) return;
          observer.failed(asRuntimeError(error));
        }
        const rest = new AbortController();
        const pause = clock
          .sleep(LIST_EVERY_MS, AbortSignal.any([signal, rest.signal]))
          .catch(() => undefined);
        await Promise.race([told, pause]);
        rest.abort();
      }
    },
  };
}

function createWriter(
  store: ObjectStore,
  folder: string,
  known: () => ReadonlyMap<string, Known>,
  clock: Clock,
  changed: () => void,
): SourceWriter {
  const keyOf = (bot: string) => [...known()].find(([, { name }]) => name === bot)?.[0];
  const existing = (bot: string): string => {
    const key = keyOf(bot);
    if (key === undefined)
      throw new RuntimeError('not-found', `there is no object for the bot ${bot} below ${folder}`);
    return key;
  };
  return {
    apply: async (text) => {
      const { name } = readApplied(text, clock.now(), codeProblem);
      await store.put(keyOf(name) ?? `${folder}${name}.yaml`, Buffer.from(text));
      changed();
      return name;
    },
    enable: async (bot, enabled) => {
      const key = existing(bot);
      const object = await store.get(key);
      const document = parseDocument((await readAll(object, MAX_SPEC_BYTES)).toString('utf8'));
      document.set('enabled', enabled);
      const text = key.endsWith('.json') ? JSON.stringify(document.toJS(), null, 2) : document.toString();
      // Only over what was read: somebody else may write as well.
      await store.put(key, Buffer.from(text), { ifMatch: object.etag });
      changed();
    },
    remove: async (bot) => {
      await store.delete(existing(bot));
      changed();
    },
  };
}

const codeExpected = 'code: expected {file: KEY} in a bucket';

const codeProblem = ({ code }: Draft) => (code === undefined || 'path' in code ? codeExpected : undefined);

function nameOf(file: string): string {
  return botId.parse(file.replace(/\.(ya?ml|json)$/, '')) ?? 'unnamed';
}

function clash(name: string, a: Entry, b: Entry): Entry {
  return { problems: [`two objects are the bot ${name}: ${a.origin} and ${b.origin}`], origin: a.origin };
}
