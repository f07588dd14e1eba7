import { isObject } from '../../../bot/config/parsers.ts';
import { readSpecValue } from '../../bots/readSpec.ts';
import type { KubeObject } from '../../kubernetes/objects.ts';
import type { Entry } from '../source.ts';
import { botResource } from './resource.ts';

/** The custom resource, as the cluster has it. */
export interface BotObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: object;
}

/** What is kept of one. */
export interface KnownBot {
  /** `metadata.name`. */
  readonly object: string;
  readonly uid: string;
  /** Of the object as it was read: a later one has a larger. */
  readonly version: bigint;
  readonly generation: number;
  /** The id of the bot: `spec.name`, else `metadata.name`. */
  readonly bot: string;
  readonly entry: Entry;
  /** Somebody has deleted it; it is there until our finalizer goes. */
  readonly isDeleted: boolean;
  readonly finalizers: readonly string[];
  /** It may go although its state could not be saved. */
  readonly goesUnsaved: boolean;
  /** JSON. */
  readonly status: string;
}

/** `before`: what was kept of it; its entry stays the very same unless the specification is another one. */
export function readBot(object: BotObject, before: KnownBot | undefined, now: number): KnownBot {
  const { metadata, spec, status } = object;
  const { name, uid = '', generation = 0, annotations, finalizers = [] } = metadata;
  const isSame = before?.uid === uid && before.generation === generation;
  const { bot, entry } = isSame ? before : entryOf(name, spec, now);
  return {
    object: name,
    uid,
    version: BigInt(metadata.resourceVersion ?? 0),
    generation,
    bot,
    entry,
    isDeleted: metadata.deletionTimestamp !== undefined,
    finalizers,
    goesUnsaved: annotations?.[botResource.deleteWithoutSaving] === 'true',
    status: JSON.stringify(status ?? {}),
  };
}

function entryOf(name: string, spec: unknown, now: number): Pick<KnownBot, 'bot' | 'entry'> {
  const origin = `bots/${name}`;
  const value = isObject(spec) ? { ...spec, name: spec.name ?? name } : spec;
  const draft = readSpecValue(value, now);
  if ('problems' in draft) return { bot: idOf(value, name), entry: { problems: draft.problems, origin } };
  const { code, rest } = draft;
  if (code === undefined || 'path' in code)
    return { bot: rest.name, entry: { problems: ['code: expected {file: KEY} in a cluster'], origin } };
  return { bot: rest.name, entry: { spec: { ...rest, code }, origin } };
}

/** What cannot be read as a bot still stands for the one of this name: what runs of it is left as it is. */
function idOf(value: unknown, name: string): string {
  return isObject(value) && typeof value.name === 'string' ? value.name : name;
}
