import { createHash } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { KubeClient } from '../kubernetes/kubeClient.ts';
import { listPages } from '../kubernetes/listPages.ts';
import { objectName } from '../kubernetes/names.ts';
import type { ConfigMap } from '../kubernetes/objects.ts';
import { resource } from '../kubernetes/resource.ts';
import { nothingRecorded, type Recorded, withSpec } from '../reconcile/recorded.ts';
import type { Records } from '../reconcile/records.ts';
import { readRecord, recordText } from './recordLine.ts';

export interface ClusterRecordsOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The host whose bots they are. */
  readonly host: string;
  /** Before what is recorded of a bot is removed: lets its last object go, or throws why it has to stay. */
  readonly forgetting: (bot: string, recorded: Recorded, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface ClusterRecords {
  readonly records: Records;
  /** Bots whose record cannot be read: they are left alone rather than started on what is not known. */
  readonly damaged: ReadonlyMap<string, string>;
}

interface Kept {
  readonly recorded: Recorded;
  readonly version: string;
  /** Hash of its text. */
  readonly hash: string;
}

const recordLabel = 'runtime.record';
const PREFIX = 'rt-record-';

/**
 * What is recorded of all bots, a ConfigMap each, so that any replica goes on from it. It is read whole once the lease is held. A write
 * is over what this replica knows alone: where somebody else has written, another host works on the same bots, and this one ends.
 */
export async function openClusterRecords(options: ClusterRecordsOptions): Promise<ClusterRecords> {
  const { client, namespace, host, signal } = options;
  const maps = resource<ConfigMap>(client, { api: 'v1', plural: 'configmaps', namespace });
  const kept = new Map<string, Kept>();
  const damaged = new Map<string, string>();
  /** What was sent since a write was last answered well: each of it may have been written. */
  const unanswered = new Map<string, Set<string>>();

  const labelSelector = `${recordLabel}=true,runtime.host=${host}`;
  for (const read of (await listPages(maps, { labelSelector, keep: readMap }, signal)).items) {
    if (read === undefined) continue;
    if ('damage' in read) damaged.set(read.bot, read.damage);
    else kept.set(read.bot, read.kept);
  }

  async function write(bot: string, text: string, version: string | undefined): Promise<string> {
    const name = objectName(PREFIX, bot);
    const written =
      version === undefined
        ? await maps.create(
            {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              metadata: { name, namespace, labels: { [recordLabel]: 'true', 'runtime.host': host } },
              data: { bot, record: text },
            },
            signal,
          )
        : await maps.patch(name, { metadata: { resourceVersion: version }, data: { record: text } }, signal);
    return written.metadata.resourceVersion!;
  }

  /** The version to write over now, after a write was refused. Throws `fenced` when somebody else has written. */
  async function found(bot: string, text: string): Promise<{ version: string | undefined; done: boolean }> {
    const there = await maps.get(objectName(PREFIX, bot), signal);
    const hash = there?.data?.record === undefined ? undefined : hashOf(there.data.record);
    const isOurs = hash === kept.get(bot)?.hash || unanswered.get(bot)?.has(hash ?? '');
    // One that was deleted is made anew.
    if (hash !== undefined && !isOurs)
      throw new RuntimeError('fenced', `another host has recorded something of ${bot}`, {
        op: 'records.write',
        path: objectName(PREFIX, bot),
        hint: 'Two hosts of one name work on the same bots: give each its own RUNTIME_HOST_NAME.',
      });
    return { version: there?.metadata.resourceVersion, done: hash === hashOf(text) };
  }

  async function put(bot: string, recorded: Recorded): Promise<void> {
    const text = recordText(recorded);
    const hash = hashOf(text);
    const sent = unanswered.get(bot) ?? new Set();
    unanswered.set(bot, sent.add(hash));
    let version: string | undefined;
    try {
      version = await write(bot, text, kept.get(bot)?.version);
    } catch (error) {
      if (!isRuntimeError(error, 'conflict', 'not-found')) throw error;
      const now = await found(bot, text);
      version = now.done ? now.version : await write(bot, text, now.version);
    }
    unanswered.delete(bot);
    kept.set(bot, { recorded, version: version!, hash });
  }

  const records: Records = {
    bots: () => [...kept.keys()],
    get: (bot) => kept.get(bot)?.recorded ?? nothingRecorded,
    put,
    share: (bot, spec) => {
      const known = kept.get(bot);
      if (known !== undefined) kept.set(bot, { ...known, recorded: withSpec(known.recorded, spec) });
    },
    forget: async (bot) => {
      await options.forgetting(bot, records.get(bot), signal);
      await maps.remove(objectName(PREFIX, bot), {}, signal);
      kept.delete(bot);
      unanswered.delete(bot);
    },
  };
  return { records, damaged };
}

type Read = { readonly bot: string; readonly kept: Kept } | { readonly bot: string; readonly damage: string };

function readMap({ metadata, data }: ConfigMap): Read | undefined {
  const { bot, record } = data ?? {};
  if (bot === undefined || record === undefined) return undefined;
  try {
    const recorded = readRecord(record);
    if (recorded === null) return undefined;
    return { bot, kept: { recorded, version: metadata.resourceVersion!, hash: hashOf(record) } };
  } catch (error) {
    return { bot, damage: `${(error as Error).message} (ConfigMap ${metadata.name})` };
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 20);
}
