import type { Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';

/** In the two shapes in which clients ask for it. */
export function usageRoutes({ usage }: Pick<Parts, 'usage'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/usage',
      scope: 'read',
      handle: async ({ caller }) => ({ body: usage.of(caller.name) }),
    },
    {
      method: 'GET',
      path: '/v1/usage',
      scope: 'read',
      handle: async ({ caller }) => ({ body: { success: true, data: usage.of(caller.name) } }),
    },
  ];
}
