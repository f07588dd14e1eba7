import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../base/errors.ts';
import type { Instance } from '../engine/engine.ts';
import type { AttachedHost } from './attachedHost.ts';

/** A connection to a port inside of a sandbox. Throws `conflict` where it does not run. */
export async function dialInside(
  { api, dial }: Pick<AttachedHost, 'api' | 'dial'>,
  id: string,
  port: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const address = runningOf(api.bot(id)?.instances ?? [])?.address;
  if (address !== undefined) return await dial(address, port, signal);
  throw new RuntimeError('conflict', `sandbox ${id} does not run`, { op: 'sandboxes.dial' });
}

/** The one that runs. */
export const runningOf = (instances: readonly Instance[]): Instance | undefined =>
  instances.find(({ role, state }) => role === 'bot' && state === 'running');
