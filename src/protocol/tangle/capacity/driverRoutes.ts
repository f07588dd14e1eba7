import type { HostView } from '../../../host/sandboxes/placement/place.ts';
import { allHosts } from '../hosts/allHosts.ts';
import type { Pool } from '../hosts/pool.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';

/** What runs sandboxes, and how much of it is left. */
export function driverRoutes(
  { sandboxes, capacity, version, holdsEgress }: Parts,
  pool: Pool | undefined,
): Route[] {
  const all = () => allHosts(capacity, pool);
  return [
    {
      method: 'GET',
      path: '/v1/sandboxes/:id/driver',
      scope: 'read',
      handle: async (call: Call) => {
        const { host } = findOwn(sandboxes, call);
        const hosts = capacity.hosts();
        const own = hosts.find(({ name }) => name === host) ?? hosts[0];
        return {
          body: {
            type: own?.driver ?? 'docker',
            available: own !== undefined && own.unfit === undefined,
            version,
            capabilities: {
              criu: false,
              gpu: false,
              vsock: false,
              snapshots: true,
              userManagement: false,
              networkIsolation: holdsEgress,
            },
            hosts: hosts.length,
            hostNames: hosts.map(({ name }) => name),
            capacity: slotsOf(hosts),
          },
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/hosts',
      scope: 'read',
      handle: async () => ({ body: { hosts: all().map(shown) } }),
    },
    {
      method: 'GET',
      path: '/v1/info',
      scope: 'read',
      handle: async () => ({
        body: { mode: 'managed', chain: null, version, capacity: slotsOf(all()) },
      }),
    },
  ];
}

function slotsOf(hosts: readonly HostView[]) {
  const total = hosts.reduce((sum, host) => sum + host.total.slots, 0);
  const used = hosts.reduce((sum, host) => sum + host.used.slots, 0);
  return { available: Math.max(0, total - used), total };
}

function shown({ name, id, driver, unfit, total, used, sharesStore }: HostView) {
  const inUnits = (of: HostView['total']) => ({
    cpuCores: of.cpuMillis / 1000,
    memoryMB: Math.round(of.memoryBytes / 2 ** 20),
    diskGB: Math.round((of.diskBytes / 2 ** 30) * 100) / 100,
    sandboxes: of.slots,
  });
  return {
    name,
    id,
    driver,
    healthy: unfit === undefined,
    why: unfit,
    sharesStore,
    total: inUnits(total),
    used: inUnits(used),
  };
}
