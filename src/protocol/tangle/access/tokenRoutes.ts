import { invalid } from '../http/httpError.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { TOKEN_LIFE_MS, TOOLS, type Tool } from './sidecarToken.ts';

/** Tokens that allow less than `connection.authToken`, to be handed on: to a browser, to somebody else's program. */
export function tokenRoutes({ sandboxes, tokens, toolsOf }: Parts): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/sandboxes/:id/tokens',
      scope: 'runtime',
      handle: async (call: Call) => {
        const sandbox = findOwn(sandboxes, call);
        const { capabilities, ttlMinutes = TOKEN_LIFE_MS / 60_000 } = await call.body();
        const isList =
          Array.isArray(capabilities) && capabilities.every((one) => TOOLS.includes(one as Tool));
        if (capabilities !== undefined && !isList)
          throw invalid({ capabilities: `expected some of ${TOOLS.join(', ')}` });
        const lifeMs = typeof ttlMinutes === 'number' ? ttlMinutes * 60_000 : Number.NaN;
        if (!(lifeMs > 0 && lifeMs <= TOKEN_LIFE_MS))
          throw invalid({ ttlMinutes: 'expected up to 15 minutes' });
        const cap = (capabilities as readonly Tool[] | undefined) ?? toolsOf(sandbox);
        const { token, expiresAt } = tokens.make(
          { sub: call.caller.name, by: call.caller.by, cid: sandbox.id, cap },
          lifeMs,
        );
        return {
          status: 201,
          body: {
            token,
            expiresAt: new Date(expiresAt).toISOString(),
            sidecarProxyUrl: `${call.origin}/sidecar/${sandbox.id}`,
          },
        };
      },
    },
  ];
}
