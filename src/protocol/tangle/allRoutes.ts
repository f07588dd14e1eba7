import type { Route } from './http/route.ts';
import type { Parts } from './parts.ts';
import { runtimeRoutes } from './runtime/runtimeRoutes.ts';
import { makeSandbox } from './sandboxes/makeSandbox.ts';
import { sandboxRoutes } from './sandboxes/sandboxRoutes.ts';
import { skipped } from './skipped.ts';

/** Every path of the API, a list for each part of it. Where two match, the first counts. */
export function allRoutes(parts: Parts): Route[] {
  return [
    ...health,
    ...sandboxRoutes({ ...parts, make: makeSandbox(parts) }),
    ...skipped,
    // Last: whatever nobody answers himself.
    ...runtimeRoutes(parts),
  ];
}

/** Asked without a key. */
const health: readonly Route[] = (['/health', '/healthz', '/readyz'] as const).map((path) => ({
  method: 'GET',
  path,
  scope: 'open',
  handle: async () => ({ body: { status: 'ok' } }),
}));
