import type { Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { cursorOf } from './cursorOf.ts';
import { streamOf } from './streamOf.ts';
import { LAST } from './watchSandboxes.ts';

/** What becomes of a sandbox, and what happens in it. Without a number from now on; with 0 from the beginning. */
export function eventRoutes(parts: Parts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/sandboxes/:id/events',
      scope: 'read',
      handle: async (call) => {
        const { id } = findOwn(parts.sandboxes, call);
        const cursor = cursorOf(call.query, call.request) ?? parts.bus.of('sandboxes', id).lastId;
        return await streamOf(parts, call, { kind: 'sandboxes', id, cursor, last: LAST });
      },
    },
  ];
}
