import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { names } from '../bots/names.ts';
import type { InstanceSpec, Mount } from '../engine/engine.ts';
import { QUERY_BYTES, TMP_BYTES } from './template.ts';

/** The first user of a waiting worker; no bot's, for as long as there have been fewer than 600,000 of them. */
const FIRST_UID = 800_000;
const UIDS = 100_000;
/** As good as no limit: its memory has one, and this is taken from it. */
const STATE_BYTES = 8 * 2 ** 30;
/** Until it has a bot, whose limits it then gets: what a bot has that says nothing else. */
const RESOURCES = {
  memoryBytes: 512 * 2 ** 20,
  cpuMillis: 500,
  cpuLimit: false,
  pids: 256,
  diskBytes: 2 ** 30,
};

/**
 * A query worker of no bot yet: the image's agent, which waits on its standard input, in a container with the places that a bot's own
 * things will have and nothing in them. No bot's user, keys, code or variables: a name that no bot may have stands for it.
 * Makes `folder` anew, empty, on this machine: what is put there later appears inside, read-only.
 */
export function waitingInstance(id: string, folder: string, image: string): InstanceSpec {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const given = (target: string): Mount => {
    const path = join(folder, target);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return { target, readOnly: true, from: { type: 'folder', path } };
  };
  const memory = (target: string, bytes: number): Mount => ({
    target,
    readOnly: false,
    from: { type: 'memory', bytes },
  });
  const uid = FIRST_UID + (Number.parseInt(id, 16) % UIDS);
  return {
    name: names.worker(id),
    bot: '-',
    role: 'query',
    hash: '',
    run: undefined,
    image,
    entrypoint: undefined,
    command: ['--query-server-only', '--pull', '--await-bot'],
    env: {},
    secretEnv: {},
    user: { uid, gid: uid },
    input: true,
    mounts: [
      ...['/bot', '/run/secrets', '/run/runtime'].map(given),
      ...['/state', '/var/the0'].map((target) => memory(target, STATE_BYTES)),
      memory('/tmp', TMP_BYTES),
      memory('/query', QUERY_BYTES),
    ],
    resources: RESOURCES,
    egress: 'internet',
    stopTimeoutMs: 1_000,
    labels: {},
  };
}
