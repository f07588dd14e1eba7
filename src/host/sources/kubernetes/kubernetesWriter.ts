import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { parseDocument } from '../../../base/parts/yaml.ts';
import { isObject } from '../../../bot/config/parsers.ts';
import { MAX_SPEC_BYTES, readSpecValue } from '../../bots/readSpec.ts';
import { objectName } from '../../kubernetes/names.ts';
import type { Resource } from '../../kubernetes/resource.ts';
import type { SourceWriter } from '../source.ts';
import type { BotObject } from './readBot.ts';
import { botResource } from './resource.ts';

export interface KubernetesWriterOptions {
  readonly bots: Resource<BotObject>;
  readonly namespace: string;
  readonly clock: Clock;
  /** The name of the bot's object. */
  readonly objectOf: (bot: string) => string | undefined;
}

const WRITE_MS = 30_000;

/** Changes the objects themselves, as `kubectl` would. A `bot.yaml` is taken, and so is a manifest of the kind Bot. */
export function createKubernetesWriter(options: KubernetesWriterOptions): SourceWriter {
  const { bots, namespace, clock, objectOf } = options;
  const existing = (bot: string): string => {
    const object = objectOf(bot);
    if (object === undefined) throw new RuntimeError('not-found', `there is no object for the bot ${bot}`);
    return object;
  };
  return {
    apply: async (text) => {
      const { name, spec } = specOf(text);
      const read = readSpecValue(spec, clock.now());
      const problems =
        'problems' in read
          ? read.problems
          : read.code === undefined || 'path' in read.code
            ? ['code: expected {file: KEY} in a cluster']
            : [];
      if (problems.length > 0)
        throw new RuntimeError('config', 'this is not a bot:', { op: 'source.apply', problems });
      const bot = String(spec.name);
      const there = objectOf(bot);
      const object = there ?? name ?? objectName('', bot);
      const own = object === bot ? without(spec, 'name') : spec;
      const signal = AbortSignal.timeout(WRITE_MS);
      if (there !== undefined)
        await bots.patch(there, [{ op: 'replace', path: '/spec', value: own }], signal);
      else
        await bots.create(
          {
            apiVersion: botResource.apiVersion,
            kind: botResource.kind,
            metadata: { name: object, namespace, finalizers: [botResource.finalizer] },
            spec: own,
          },
          signal,
        );
      return bot;
    },
    enable: async (bot, enabled) => {
      await bots.patch(existing(bot), { spec: { enabled } }, AbortSignal.timeout(WRITE_MS));
    },
    remove: async (bot) => void (await bots.remove(existing(bot), {}, AbortSignal.timeout(WRITE_MS))),
  };
}

/** `name`: the one that a manifest gives its object. */
function specOf(text: string): { readonly name: string | undefined; readonly spec: Record<string, unknown> } {
  const problem = (what: string) =>
    new RuntimeError('config', 'this is not a bot:', { op: 'source.apply', problems: [what] });
  if (Buffer.byteLength(text) > MAX_SPEC_BYTES) throw problem(`longer than ${MAX_SPEC_BYTES} bytes`);
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw problem(error.message.split('\n')[0]!);
  const value: unknown = document.toJS({ maxAliasCount: 20 });
  if (!isObject(value)) throw problem('not a mapping');
  if (value.apiVersion !== botResource.apiVersion) return { name: undefined, spec: value };
  const { metadata, spec } = value;
  if (!isObject(metadata) || typeof metadata.name !== 'string' || !isObject(spec))
    throw problem('a Bot needs metadata.name and spec');
  return { name: metadata.name, spec: { ...spec, name: spec.name ?? metadata.name } };
}

function without(value: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));
}
