import type { Rules } from '../../../host/sandboxes/policy/policy.ts';
import type { NewSandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { WantedSandbox } from './readCreate.ts';

/** What a sandbox has where nothing was said, and its policy allows as much. */
const USUAL = {
  memoryBytes: 512 * 2 ** 20,
  cpuMillis: 500,
  diskBytes: 2 * 2 ** 30,
  pids: 512,
  lifetimeMs: 24 * 3_600_000,
  idleMs: 30 * 60_000,
} as const;

/** The same request with everything said. */
export function completed(
  wanted: WantedSandbox,
  { egress, resources }: Rules,
  given: Pick<NewSandbox, 'owner' | 'secretEnv' | 'from'>,
): NewSandbox {
  const usual = (what: 'memoryBytes' | 'cpuMillis' | 'diskBytes' | 'lifetimeMs' | 'idleMs') =>
    wanted[what] ?? Math.min(USUAL[what], resources[what]);
  const { name, image, env, tools, metadata, agent, idempotencyKey } = wanted;
  return {
    ...given,
    name,
    image,
    env,
    tools,
    metadata,
    agent,
    idempotencyKey,
    resources: {
      memoryBytes: usual('memoryBytes'),
      cpuMillis: usual('cpuMillis'),
      // Who has asked for so much gets no more; who has not may use what nobody else wants.
      cpuLimit: wanted.cpuMillis !== undefined,
      pids: USUAL.pids,
      diskBytes: usual('diskBytes'),
    },
    egress: wanted.egress ?? egress,
    lifetimeMs: usual('lifetimeMs'),
    idleMs: usual('idleMs'),
  };
}
