import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { Caller } from '../access/caller.ts';
import type { SidecarTokens, Tool } from '../access/sidecarToken.ts';
import type { Connection } from './infoOf.ts';

/** A token is given again for as long: a client asks before each of its calls. */
const AGAIN_MS = 60_000;
const MOST_KEPT = 10_000;

export type Connect = (sandbox: Sandbox, caller: Caller, origin: string) => Connection;

/** What answers carry as `connection`. `toolsOf`: what tokens for this sandbox may do; undefined: everything. */
export function connections(
  tokens: SidecarTokens,
  toolsOf: (sandbox: Sandbox) => readonly Tool[] | undefined,
  now: () => number,
): Connect {
  const kept = new Map<
    string,
    { readonly token: string; readonly expiresAt: number; readonly until: number }
  >();
  return (sandbox, { name, by }, origin) => {
    const cap = toolsOf(sandbox);
    const key = JSON.stringify([sandbox.id, name, by, cap]);
    let found = kept.get(key);
    if (found === undefined || found.until <= now()) {
      found = { ...tokens.make({ sub: name, by, cid: sandbox.id, cap }), until: now() + AGAIN_MS };
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(key, found);
    }
    return {
      sidecarUrl: `${origin}/sidecar/${sandbox.id}`,
      authToken: found.token,
      authTokenExpiresAt: new Date(found.expiresAt).toISOString(),
      runtimeUrl: `${origin}/v1/sandboxes/${sandbox.id}/runtime`,
    };
  };
}
