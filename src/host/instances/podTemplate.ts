import { hash } from 'node:crypto';
import type { BotSpec } from '../bots/botSpec.ts';
import type { Shape, User } from '../credentials/credentials.ts';
import type { Mount } from '../engine/engine.ts';
import { environment, QUERY_BYTES, type Template, TMP_BYTES, withHash } from './template.ts';

export interface PodMaterials {
  readonly image: string;
  readonly credentials: Shape;
  readonly shared: Readonly<Record<string, string>>;
  /** How the engine makes pods. */
  readonly made: string;
}

/** Where a bot's secrets are inside. */
export const SECRETS = '/run/secrets';
/** Below are users that nodes have. */
const FIRST_UID = 1_000_000;
const LOGS_BYTES = 512 * 2 ** 20;

/**
 * What is the same for every instance of a bot where the engine has no folders: the agent fetches code and state by itself, into space
 * that goes with it.
 */
export function podTemplate(spec: BotSpec, materials: PodMaterials): Template {
  const { image, credentials, shared } = materials;
  const { file, sha256 } = spec.code;
  const made = {
    bot: spec.name,
    image,
    entrypoint: undefined,
    command: undefined,
    env: {
      ...environment(spec, { credentials, shared }),
      CODE_FILE: file,
      ...(sha256 !== undefined && { CODE_SHA256: sha256 }),
    },
    user: userOf(spec.name),
    mounts: mounts(spec, credentials),
    resources: spec.resources,
    egress: spec.egress,
    stopTimeoutMs: spec.stopTimeoutMs,
    labels: spec.labels,
  };
  return withHash(made, materials.made);
}

/** Its own, the same on every node and for every replica. Pods keep bots apart; this is for what gets out of one. */
function userOf(bot: string): User {
  const uid = FIRST_UID + Number.parseInt(hash('sha256', bot).slice(0, 7), 16);
  return { uid, gid: uid };
}

function mounts({ resources, secrets }: BotSpec, credentials: Shape): Mount[] {
  const disk = (target: string, bytes: number): Mount => ({
    target,
    readOnly: false,
    from: { type: 'disk', bytes },
  });
  return [
    disk('/bot', resources.diskBytes),
    disk('/state', resources.diskBytes),
    disk('/var/the0', LOGS_BYTES),
    { target: '/tmp', readOnly: false, from: { type: 'memory', bytes: TMP_BYTES } },
    { target: '/query', readOnly: false, from: { type: 'memory', bytes: QUERY_BYTES } },
    ...(secrets.length === 0 ? [] : [{ target: SECRETS, readOnly: true, from: { type: 'files' as const } }]),
    ...credentials.mounts,
  ];
}
