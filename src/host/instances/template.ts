import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Shape, User } from '../credentials/credentials.ts';
import type { BotFolders } from '../data/folders.ts';
import type { InstanceSpec, Mount } from '../engine/engine.ts';
import type { OwnRuntime } from './ownRuntime.ts';

/** What an instance of a bot is made of besides its specification. */
export interface Materials {
  /** `ImageFacts.id`. */
  readonly image: string;
  readonly codeSha256: string;
  readonly codeFolder: string;
  readonly folders: BotFolders;
  readonly user: User;
  readonly credentials: Shape;
  /** What the host passes on to all bots: buckets, limits, intervals. */
  readonly shared: Readonly<Record<string, string>>;
  /** Set: the image has none. */
  readonly ownRuntime?: OwnRuntime | undefined;
}

/** An instance less its name and its secrets: what is the same for every one of a bot. */
export type Template = Omit<InstanceSpec, 'name' | 'role' | 'run' | 'secretEnv' | 'user'> & {
  readonly user: User;
};

export const TMP_BYTES = 64 * 2 ** 20;
export const QUERY_BYTES = 16 * 2 ** 20;
/** MAX_STATE_SIZE_MB of one that says nothing. */
const USUAL_STATE_MB = 8192;
/** Where the disk of a sandbox is inside: its state, and its home. */
const WORKSPACE = '/workspace';
/** The same folder, where clients that do not ask look for it (docs/sandboxes.md). Not in images of others, which may have something there. */
const WORKSPACE_ALIASES = ['/home/user', '/home/agent'];

export function template(spec: BotSpec, materials: Materials): Template {
  const { ownRuntime } = materials;
  const made = {
    bot: spec.name,
    image: materials.image,
    entrypoint: ownRuntime?.entrypoint,
    command: ownRuntime && [],
    // Not CODE_SHA256: the code is in its place, and there is nothing left to check.
    env: { ...environment(spec, materials), RUNTIME_CODE: materials.codeSha256 },
    user: materials.user,
    mounts: [...mounts(spec, materials), ...(ownRuntime?.mounts ?? [])],
    resources: spec.resources,
    egress: spec.egress,
    stopTimeoutMs: spec.stopTimeoutMs,
    labels: spec.labels,
  };
  return withHash(made, materials.codeSha256);
}

/**
 * With the hash of all of it and of `more`. Not of its labels: they are for whoever lists instances, another one is no reason to end a
 * bot, and comes with its next start.
 */
export function withHash(made: Omit<Template, 'hash'>, more: string): Template {
  const digest = createHash('sha256')
    .update(JSON.stringify([{ ...made, labels: {} }, more]))
    .digest('hex');
  return { ...made, hash: digest.slice(0, 32) };
}

/** What every bot's environment has, wherever its code comes from. */
export function environment(
  spec: BotSpec,
  { credentials, shared }: Pick<Materials, 'credentials' | 'shared'>,
): Record<string, string> {
  const { entrypoints } = spec;
  return {
    ...(spec.sandbox && { HOME: WORKSPACE }),
    ...spec.env,
    ...(spec.sandbox && { STATE_PATH: WORKSPACE, BOX_WORKSPACE: WORKSPACE, ...stateLimit(spec) }),
    ...shared,
    ...credentials.env,
    BOT_ID: spec.name,
    BOT_TYPE: spec.type,
    RUNTIME: spec.runtime,
    ...(entrypoints.bot === '' ? {} : { ENTRYPOINT: entrypoints.bot }),
    ...(entrypoints.message === undefined ? {} : { MESSAGE_ENTRYPOINT: entrypoints.message }),
    ...(entrypoints.query === undefined ? {} : { QUERY_ENTRYPOINT: entrypoints.query }),
    BOT_CONFIG: spec.config,
    ...(spec.task === undefined ? {} : { TASK: spec.task }),
    STOP_TIMEOUT: `${spec.stopTimeoutMs}ms`,
  };
}

/** All of its disk can be saved. Below the usual limit that one stays: files with holes seem larger than they are. */
function stateLimit({ resources }: BotSpec): Record<string, string> {
  const mebibytes = Math.ceil(resources.diskBytes / 2 ** 20);
  return mebibytes > USUAL_STATE_MB ? { MAX_STATE_SIZE_MB: String(mebibytes) } : {};
}

function mounts(spec: BotSpec, { codeFolder, folders, credentials, ownRuntime }: Materials): Mount[] {
  const folder = (target: string, path: string, readOnly: boolean): Mount => ({
    target,
    readOnly,
    from: { type: 'folder', path },
  });
  return [
    folder('/bot', codeFolder, true),
    folder(spec.sandbox ? WORKSPACE : '/state', folders.state, false),
    ...(spec.sandbox && ownRuntime === undefined ? WORKSPACE_ALIASES : []).map((target) =>
      folder(target, folders.state, false),
    ),
    folder('/var/the0', folders.the0, false),
    { target: '/tmp', readOnly: false, from: { type: 'memory', bytes: TMP_BYTES } },
    { target: '/query', readOnly: false, from: { type: 'memory', bytes: QUERY_BYTES } },
    ...spec.secrets.map((name) => folder(`/run/secrets/${name}`, join(folders.secrets, name), true)),
    ...credentials.mounts,
  ];
}
