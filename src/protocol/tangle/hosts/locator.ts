import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import type { Matched } from '../http/matchRoute.ts';
import { hasOwn, visitOwn } from '../sandboxes/visitOwn.ts';
import type { Elsewhere } from '../startFront.ts';
import type { Pool } from './pool.ts';
import { sendToMember } from './sendToMember.ts';

/** Where it is resumed is chosen, not found. */
export const RESUME = '/v1/sandboxes/:id/resume';

/**
 * Where a sandbox is that this host does not have: on another one that is heard of, or, given back and at rest, on none: then this host answers
 * for it from the store.
 */
export function locator(sandboxes: Sandboxes, pool: Pool | undefined): Elsewhere {
  const away = ({ route, params: { id } }: Matched): string | undefined => {
    const isOfSandbox = /^\/(v1\/sandboxes|sidecar|v1\/sidecars|preview)\/:id/.test(route.path);
    if (!isOfSandbox || route.path === RESUME || id === undefined) return undefined;
    return hasOwn(sandboxes, id) ? undefined : id;
  };
  return {
    known: (found) => {
      const id = away(found);
      return id !== undefined && pool?.known(id) !== undefined;
    },
    find: async (found, caller) => {
      const id = away(found);
      if (id === undefined) return undefined;
      const member = caller.isSentOn ? undefined : await pool?.find(id);
      const send =
        member && ((call: Parameters<typeof sendToMember>[1]) => sendToMember(member, call, found.route));
      if (member !== undefined && (await pool?.isThere(member))) return send;
      try {
        await visitOwn(sandboxes, caller, id);
        return undefined;
      } catch (error) {
        // The route says what is not found.
        if (send !== undefined || (error instanceof HttpError && error.status === 404)) return send;
        throw error;
      }
    },
  };
}
