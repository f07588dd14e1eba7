import type { ContainerOptions } from './container.ts';

/** Everything that an orchestrator can take away from a container; a tmpfs on each path of the contract. */
export const hardened: Partial<ContainerOptions> = {
  user: '1000:1000',
  readOnly: true,
  dropCapabilities: true,
  tmpfs: ['/bot', '/state', '/query', '/var/the0/logs', '/tmp'],
};
