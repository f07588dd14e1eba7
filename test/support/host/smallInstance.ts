import type { InstanceSpec } from '../../../src/host/engine/engine.ts';

const MiB = 2 ** 20;

/** A small instance that runs a shell script, of a bot of its name. */
export function smallInstance(
  image: string,
  name: string,
  script: string,
  more: Partial<InstanceSpec> = {},
): InstanceSpec {
  return {
    name,
    bot: name,
    role: 'bot',
    hash: 'h1',
    run: undefined,
    image,
    entrypoint: ['/bin/sh', '-c', script],
    command: [],
    env: {},
    secretEnv: {},
    user: { uid: 200_001, gid: 200_001 },
    mounts: [{ target: '/tmp', readOnly: false, from: { type: 'memory', bytes: 16 * MiB } }],
    resources: { memoryBytes: 64 * MiB, cpuMillis: 200, cpuLimit: false, pids: 64, diskBytes: 64 * MiB },
    egress: 'internet',
    stopTimeoutMs: 5_000,
    labels: {},
    ...more,
  };
}
