import type { Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';

/** In the two shapes in which clients ask for it: the SDK's, and that of the platform's OpenAPI, as far as it is known here. */
export function usageRoutes({ usage, sessions }: Pick<Parts, 'usage' | 'sessions'>): Route[] {
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
      handle: async ({ caller }) => {
        const used = usage.of(caller.name);
        const those = sessions.all().filter(({ owner }) => owner === caller.name);
        const data = {
          ...used,
          orgId: caller.name,
          period: used.periodStart.slice(0, 7),
          computeMs: Math.round(used.computeMinutes * 60_000),
          active_sandboxes: used.activeSandboxes,
          activeSessionCount: those.length,
        };
        return { body: { success: true, data } };
      },
    },
  ];
}
