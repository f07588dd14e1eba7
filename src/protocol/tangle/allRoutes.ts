import { tokenRoutes } from './access/tokenRoutes.ts';
import { batchRoutes } from './batch/batchRoutes.ts';
import { driverRoutes } from './capacity/driverRoutes.ts';
import { diskRoutes } from './disk/diskRoutes.ts';
import { eventRoutes } from './events/eventRoutes.ts';
import { heartbeatRoutes } from './hosts/heartbeat.ts';
import type { Others } from './hosts/openOthers.ts';
import { poolRoutes } from './hosts/poolRoutes.ts';
import type { Route } from './http/route.ts';
import { networkRoutes } from './network/networkRoutes.ts';
import type { Parts } from './parts.ts';
import { previewRoutes } from './previews/previewRoutes.ts';
import { readyRoutes } from './ready/readyRoutes.ts';
import { InUse } from './runtime/inUse.ts';
import { runtimeRoutes } from './runtime/runtimeRoutes.ts';
import { sandboxRoutes } from './sandboxes/sandboxRoutes.ts';
import { secretRoutes } from './secrets/secretRoutes.ts';
import { agentRoutes } from './sessions/agentRoutes.ts';
import { sessionRoutes } from './sessions/sessionRoutes.ts';
import { skipped } from './skipped.ts';
import { forkRoutes } from './snapshots/forkRoutes.ts';
import { snapshotRoutes } from './snapshots/snapshotRoutes.ts';
import { usageRoutes } from './usage/usageRoutes.ts';

/** Every path of the API, a list for each part of it. Where two match, the first counts. */
export function allRoutes(parts: Parts, others: Others | undefined): Route[] {
  const pool = others?.pool;
  const inUse = new InUse(parts);
  const here = sandboxRoutes(parts, pool);
  return [
    ...health(parts),
    ...heartbeatRoutes(parts),
    ...(others === undefined ? [] : poolRoutes({ ...parts, ...others }, here)),
    ...here,
    ...driverRoutes(parts, pool),
    ...readyRoutes(parts, pool),
    ...tokenRoutes(parts),
    ...secretRoutes(parts),
    ...networkRoutes(parts),
    ...eventRoutes(parts),
    ...snapshotRoutes(parts),
    ...forkRoutes(parts),
    ...diskRoutes(parts),
    ...batchRoutes(parts),
    ...usageRoutes(parts),
    ...sessionRoutes(parts),
    ...agentRoutes(parts),
    ...previewRoutes(parts, inUse),
    ...skipped,
    // Last: whatever nobody answers himself.
    ...runtimeRoutes(parts, inUse),
  ];
}

/** Asked without a key. */
function health({ isReady, registry }: Parts): Route[] {
  const alive = async () => ({ body: { status: 'ok' } });
  const ready = async () =>
    isReady()
      ? { body: { status: 'ok', checks: { runtime: 'ok', store: 'ok' } } }
      : { status: 503, body: { status: 'degraded', checks: { runtime: 'the engine has not answered yet' } } };
  return [
    { method: 'GET', path: '/healthz', scope: 'open', handle: alive },
    { method: 'GET', path: '/health', scope: 'open', handle: ready },
    { method: 'GET', path: '/readyz', scope: 'open', handle: ready },
    {
      method: 'GET',
      path: '/metrics',
      scope: 'open',
      handle: async ({ response }) => {
        const text = await registry.metrics();
        response.writeHead(200, { 'content-type': registry.contentType }).end(text);
        return undefined;
      },
    },
  ];
}
