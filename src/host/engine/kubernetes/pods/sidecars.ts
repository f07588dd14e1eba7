import type { InstanceSpec } from '../../engine.ts';
import type { Part } from './container.ts';
import { BOT } from './pod.ts';
import type { Volumes } from './podVolumes.ts';

const RUNTIME = '/usr/local/bin/runtime';
const MiB = 2 ** 20;
const SMALL = { memoryBytes: 192 * MiB, cpuMillis: 50, cpuLimit: false };
/** Where an instance finds the keys of the store. */
const KEYS = '/run/runtime';

/**
 * The bot without keys of the store: they are in the containers beside it, which pull before it starts and save what it leaves
 * (docs/operations.md, "Sidecars"). They start before it, in this order, and end after it.
 */
export function sidecars(
  spec: InstanceSpec,
  make: (part: Part) => Record<string, unknown>,
  volumes: Volumes,
) {
  const all = {
    env: spec.env,
    secretEnv: Object.keys(spec.secretEnv),
    mounts: volumes.mounts,
    diskBytes: volumes.diskBytes,
  };
  const isOfStore = (name: string) => /^(MINIO_|CODE_(FILE|SHA256)$)/.test(name);
  const without = {
    env: Object.fromEntries(Object.entries(spec.env).filter(([name]) => !isOfStore(name))),
    secretEnv: all.secretEnv.filter((name) => !isOfStore(name)),
    mounts: volumes.mounts.filter(({ mountPath }) => mountPath !== KEYS),
    diskBytes: volumes.diskBytes,
  };
  const part = (name: string, args: readonly string[], more: Partial<Part>): Record<string, unknown> =>
    make({ name, command: [RUNTIME], args, resources: SMALL, ...all, ...more });
  const isAsked = spec.role === 'bot' && spec.env.QUERY_ENTRYPOINT !== undefined;
  return {
    initContainers: [
      part('init', ['daemon', 'init'], {}),
      part('sync', ['daemon', 'sync', '--readiness-port', '8079'], { isSidecar: true }),
      ...(isAsked
        ? [
            part('query', ['execute', '--query-server-only'], {
              ...without,
              isSidecar: true,
              mounts: without.mounts.map((mount) =>
                mount.mountPath === '/state' || mount.mountPath === '/bot'
                  ? { ...mount, readOnly: true }
                  : mount,
              ),
            }),
          ]
        : []),
    ],
    containers: [
      part(BOT, ['execute', '--skip-sync', '--skip-query-server'], { ...without, resources: spec.resources }),
    ],
  };
}
