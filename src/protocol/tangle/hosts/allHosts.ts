import type { Capacity } from '../../../host/sandboxes/placement/capacity.ts';
import type { HostView } from '../../../host/sandboxes/placement/place.ts';
import type { Pool } from './pool.ts';

/** This server's and the other machines, those that stand by too. */
export function allHosts(capacity: Pick<Capacity, 'hosts'>, pool: Pool | undefined): readonly HostView[] {
  return [...capacity.hosts(), ...(pool?.views(true) ?? [])];
}
