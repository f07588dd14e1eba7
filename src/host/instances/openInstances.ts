import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { makeAgentToken } from '../bots/agentToken.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import { isAgent } from '../bots/isAgent.ts';
import { names } from '../bots/names.ts';
import type { Credentials, SecretEnv } from '../credentials/credentials.ts';
import type { Folders } from '../data/folders.ts';
import type { HeldDisks } from '../data/holdDisks.ts';
import type { Users } from '../data/openUsers.ts';
import type { Engine, InstanceSpec, Role } from '../engine/engine.ts';
import type { CodeCache } from './codeCache.ts';
import type { Instances } from './instances.ts';
import { type OwnRuntime, placeRuntime } from './ownRuntime.ts';
import { placeSecrets } from './secretFiles.ts';
import { type Template, template } from './template.ts';
import { waitingInstance } from './waitingInstance.ts';

/**
 * The room of what an instance is made of: image, code, folders, user, secrets, keys.
 *
 *   1. `prepare`      image pulled, code unpacked once for all bots of the host (`codeCache`), folders there
 *   2. `template`     all that is the same for every instance of a bot; its hash says when a running one is out of date
 *   3. `bot`, `run`, `query`   the template with a name, the secrets (`secretFiles`) and keys of its own: ready for the engine
 */

export interface InstancesOptions {
  readonly engine: Engine;
  readonly credentials: Credentials;
  readonly folders: Folders;
  readonly users: Users;
  readonly disks?: HeldDisks | undefined;
  readonly code: CodeCache;
  /** The image of all bots. */
  readonly image: string;
  /** Variables that every bot gets: buckets, limits, intervals. */
  readonly shared: Readonly<Record<string, string>>;
  /** Signs the tokens of agents. */
  readonly tokenKey: Secret;
  /** The host's folder of secrets. */
  readonly secrets: string;
  /** Variables of a bot that stand nowhere in its specification: what a sandbox was given. */
  readonly secretEnv?: (spec: BotSpec) => SecretEnv;
}

export function openInstances(options: InstancesOptions): Instances {
  const { engine, credentials, folders, users, disks, code } = options;
  // By the specification itself: another one, even an equal one, is asked again.
  let templates = new WeakMap<BotSpec, Template>();
  let image: string | undefined;
  let base: string | undefined;
  /** Of sandboxes that bring their own: what the names meant when they were first needed. */
  const images = new Map<string, string>();
  let ownRuntime: OwnRuntime | undefined;

  async function lookAtImage(signal: AbortSignal): Promise<void> {
    const { id } = await engine.image(options.image, signal);
    if (id === image) return;
    image = id;
    base = createHash('sha256')
      .update(JSON.stringify([id, options.shared]))
      .digest('hex')
      .slice(0, 32);
    templates = new WeakMap();
  }

  async function lookAtOwnImage(reference: string, signal: AbortSignal): Promise<void> {
    images.set(reference, (await engine.image(reference, signal)).id);
    if (reference !== options.image) ownRuntime ??= placeRuntime(join(folders.data, 'inside'));
  }

  const imageOf = ({ sandbox }: BotSpec) =>
    sandbox?.image === undefined ? image : images.get(sandbox.image);

  /** Without the network: undefined where something is not here yet. */
  function made(spec: BotSpec): Template | undefined {
    const known = templates.get(spec);
    if (known !== undefined) return known;
    const codeSha256 = code.known(spec.name, spec.code);
    const own = imageOf(spec);
    if (own === undefined || codeSha256 === undefined) return undefined;
    const result = template(spec, {
      image: own,
      codeSha256,
      codeFolder: code.folder(codeSha256),
      folders: folders.bot(spec.name),
      user: users.of(spec.name),
      credentials: credentials.shape(spec, roleOf(spec)),
      shared: options.shared,
      // Whatever is in it: what it brings under that name may be another runtime.
      ownRuntime: own === image ? undefined : ownRuntime,
    });
    templates.set(spec, result);
    // What runs since before this host does is served as if it had just been made.
    credentials.adopt(spec, roleOf(spec));
    return result;
  }

  async function make(spec: BotSpec, role: Role, name: string, run: number | undefined, signal: AbortSignal) {
    const base = made(spec);
    if (base === undefined) throw new RuntimeError('internal', `${spec.name} has not been prepared`);
    placeSecrets(spec, options.secrets, folders.bot(spec.name), base.user);
    const secretEnv = await credentials.grant(spec, role, base.user, signal);
    const agentToken = isAgent(spec) && { AGENT_TOKEN: makeAgentToken(options.tokenKey, spec.name) };
    const own = options.secretEnv?.(spec);
    return {
      ...base,
      name,
      role,
      run,
      secretEnv: { ...own, ...secretEnv, ...agentToken },
    } satisfies InstanceSpec;
  }

  return {
    hash: (spec) => made(spec)?.hash,
    base: () => base,
    refresh: async (signal) => {
      const before = image;
      await lookAtImage(signal);
      return before !== undefined && image !== before;
    },
    prepare: async (spec, signal) => {
      if (image === undefined) await lookAtImage(signal);
      const own = spec.sandbox?.image;
      if (own !== undefined && !images.has(own)) await lookAtOwnImage(own, signal);
      users.of(spec.name);
      if (code.known(spec.name, spec.code) === undefined) await code.fetch(spec.name, spec.code, signal);
    },
    ...(disks && {
      hold: (spec: BotSpec) => disks.hold(spec.name, spec.resources.diskBytes, users.of(spec.name)),
    }),
    renew: (spec) => {
      templates.delete(spec);
      code.renew(spec.name);
    },
    bot: (spec, signal) => make(spec, 'bot', names.bot(spec.name), undefined, signal),
    run: async (spec, time, signal) => {
      const instance = await make(spec, 'run', names.run(spec.name, time), time, signal);
      return { ...instance, env: { ...instance.env, RUN_TIME: new Date(time).toISOString() } };
    },
    query: async (spec, id, env, signal) => {
      const instance = await make(spec, 'query', names.query(spec.name, id), undefined, signal);
      // It restores a state of its own and saves nothing: the bot's folders are not for it.
      const own = new Set(['/state', '/var/the0']);
      const mounts = instance.mounts.map((mount) =>
        own.has(mount.target)
          ? { ...mount, from: { type: 'memory' as const, bytes: spec.resources.memoryBytes } }
          : mount,
      );
      return { ...instance, mounts, env: { ...instance.env, ...env } };
    },
    waiting: async (id, folder, signal) => {
      if (image === undefined) await lookAtImage(signal);
      return waitingInstance(id, folder, image ?? options.image);
    },
  };
}

function roleOf(spec: BotSpec): Role {
  return spec.type === 'realtime' ? 'bot' : 'run';
}
