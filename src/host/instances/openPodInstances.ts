import { hash } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { makeAgentToken } from '../bots/agentToken.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import { isAgent } from '../bots/isAgent.ts';
import { names } from '../bots/names.ts';
import type { Credentials } from '../credentials/credentials.ts';
import type { InstanceSpec, Role } from '../engine/engine.ts';
import type { Instances } from './instances.ts';
import { podTemplate, SECRETS } from './podTemplate.ts';
import type { Template } from './template.ts';

export interface PodInstancesOptions {
  readonly credentials: Credentials;
  /** The store of code archives. */
  readonly code: () => Promise<ObjectStore>;
  /** The image of all bots; a reference with a digest means the same on every node. */
  readonly image: string;
  /** Variables that every bot gets: buckets, limits, intervals. */
  readonly shared: Readonly<Record<string, string>>;
  /** Signs the tokens of agents. */
  readonly tokenKey: Secret;
  /** The files that a secret of this name becomes. */
  readonly secrets: (name: string, signal: AbortSignal) => Promise<Readonly<Record<string, Secret>>>;
  /** How the engine makes pods, as text: with another, all instances are out of date. */
  readonly made: string;
}

/** Instances where the engine has no folders: nothing is fetched here, so nothing has to be prepared. */
export function openPodInstances(options: PodInstancesOptions): Instances {
  const { credentials, image, shared } = options;
  // Ten thousand hashes, and no templates: those are needed only when a pod is made.
  const hashes = new WeakMap<BotSpec, string>();
  const base = hash('sha256', JSON.stringify([image, shared, options.made])).slice(0, 32);

  function made(spec: BotSpec): Template {
    const shape = credentials.shape(spec, roleOf(spec));
    return podTemplate(spec, { image, credentials: shape, shared, made: options.made });
  }

  function hashOf(spec: BotSpec): string {
    const known = hashes.get(spec);
    if (known !== undefined) return known;
    const { hash } = made(spec);
    hashes.set(spec, hash);
    // What runs since before this host does is served as if it had just been made.
    credentials.adopt(spec, roleOf(spec));
    return hash;
  }

  async function make(
    spec: BotSpec,
    role: Role,
    name: string,
    more: Pick<InstanceSpec, 'run' | 'env'>,
    signal: AbortSignal,
  ): Promise<InstanceSpec> {
    const template = made(spec);
    await findCode(spec, signal);
    const granted = await credentials.grant(spec, role, template.user, signal);
    const keys = credentials.files(spec, role);
    const isPrivate = (variable: string) =>
      variable === 'BOT_CONFIG' || variable === 'TASK' || variable in spec.env;
    const variables = Object.entries(template.env);
    return {
      ...template,
      name,
      role,
      run: more.run,
      env: { ...Object.fromEntries(variables.filter(([variable]) => !isPrivate(variable))), ...more.env },
      secretEnv: {
        ...Object.fromEntries(
          variables
            .filter(([variable]) => isPrivate(variable))
            .map(([variable, text]) => [variable, new Secret(text)]),
        ),
        ...granted,
        ...(isAgent(spec) && { AGENT_TOKEN: makeAgentToken(options.tokenKey, spec.name) }),
      },
      files: { [SECRETS]: await secretsOf(spec, signal), ...(keys && { [keys.target]: keys.files }) },
      filesUntil: keys?.until,
    };
  }

  /** A pod that finds no code costs a node and says so a minute later. */
  async function findCode({ name, code }: BotSpec, signal: AbortSignal): Promise<void> {
    try {
      await (await options.code()).head(code.file, { signal });
    } catch (error) {
      if (!isRuntimeError(error, 'not-found')) throw error;
      throw new RuntimeError('not-found', `the code of ${name} is not in the store: ${code.file}`, {
        op: 'code.find',
        path: code.file,
        cause: error,
      });
    }
  }

  async function secretsOf(spec: BotSpec, signal: AbortSignal): Promise<Record<string, Secret>> {
    const files = await Promise.all(spec.secrets.map((name) => options.secrets(name, signal)));
    return Object.assign({}, ...files);
  }

  return {
    hash: hashOf,
    base: () => base,
    refresh: async () => false,
    prepare: async () => undefined,
    renew: (spec) => void hashes.delete(spec),
    bot: (spec, signal) => make(spec, 'bot', names.bot(spec.name), { run: undefined, env: {} }, signal),
    run: (spec, time, signal) => {
      const env = { RUN_TIME: new Date(time).toISOString() };
      return make(spec, 'run', names.run(spec.name, time), { run: time, env }, signal);
    },
    query: (spec, id, env, signal) =>
      make(spec, 'query', names.query(spec.name, id), { run: undefined, env }, signal),
    waiting: async () => {
      throw new RuntimeError(
        'refused',
        'a worker of no bot yet is given folders, and a cluster has none of ours',
      );
    },
  };
}

function roleOf(spec: BotSpec): Role {
  return spec.type === 'realtime' ? 'bot' : 'run';
}
