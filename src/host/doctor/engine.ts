import { isRuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { createDockerClient, type DockerClient } from '../engine/docker/http/dockerClient.ts';
import { parseEngineAddress } from '../engine/docker/http/engineAddress.ts';
import type { HostCheck } from './patient.ts';

/** Of the engine's account of itself, what we read. */
export interface EngineInfo {
  readonly ServerVersion: string;
  readonly CgroupVersion?: string;
  readonly LiveRestoreEnabled: boolean;
  readonly SecurityOptions: readonly string[] | null;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly PidsLimit: boolean;
}

/** Reachable, and what it does for bots; the image of all bots. */
export const engine: HostCheck = {
  name: 'engine',
  async run({ socket, image, signal }) {
    const client = createDockerClient(parseEngineAddress(socket));
    try {
      const request = { op: 'doctor.engine', subject: 'engine', method: 'GET', signal } as const;
      const info = await client.call<EngineInfo>({ ...request, path: '/info' });
      return [...engineFindings(info), await imageFinding(client, image, signal)];
    } finally {
      client.close();
    }
  },
};

export function engineFindings(info: EngineInfo): Finding[] {
  const limits = [
    ['memory', info.MemoryLimit],
    ['swap', info.SwapLimit],
    ['processes', info.PidsLimit],
  ] as const;
  const missing = limits.flatMap(([name, has]) => (has ? [] : [name]));
  const seccomp = info.SecurityOptions?.some(
    (option) => /^name=seccomp/.test(option) && !/unconfined/.test(option),
  );
  return [
    ok('engine', `Docker Engine ${info.ServerVersion}, cgroup version ${info.CgroupVersion ?? '1'}`),
    info.LiveRestoreEnabled
      ? ok('live-restore', 'bots outlive a restart of the engine')
      : warn(
          'live-restore',
          'off: a restart of the engine ends all bots',
          'Set "live-restore": true in /etc/docker/daemon.json and reload the engine.',
        ),
    missing.length === 0
      ? ok('limits of containers', 'memory, swap and processes are limited')
      : warn(
          'limits of containers',
          `the engine cannot limit ${missing.join(', ')}`,
          'Boot the kernel with cgroup_enable=memory swapaccount=1.',
        ),
    seccomp
      ? ok('seccomp', 'the engine filters system calls')
      : warn(
          'seccomp',
          'off: bots may call all of the kernel',
          'Start the engine with its default seccomp profile.',
        ),
  ];
}

async function imageFinding(client: DockerClient, image: string, signal: AbortSignal): Promise<Finding> {
  const path = `/images/${image.split('/').map(encodeURIComponent).join('/')}/json`;
  try {
    const request = { op: 'doctor.image', subject: `image ${image}`, method: 'GET', path, signal } as const;
    const { Id } = await client.call<{ readonly Id: string }>(request);
    return ok('image', `${image} is ${Id.slice(0, 19)}`);
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) return fail('image', error);
    return warn(
      'image',
      `${image} is not on this machine`,
      image.startsWith('runtime:')
        ? 'Make it: scripts/image. No registry has it.'
        : 'The first start pulls it; pull it now to know that it can.',
    );
  }
}
