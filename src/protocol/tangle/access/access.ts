import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { forbidden, HttpError } from '../http/httpError.ts';
import type { Matched } from '../http/matchRoute.ts';
import { allows, type Caller } from './caller.ts';
import { HOP_HEADER, onBehalf } from './onBehalf.ts';
import type { SidecarTokens } from './sidecarToken.ts';

export interface Keys {
  /** Who it is that holds this key; undefined: nobody. */
  byToken(token: string): Caller | undefined;
  /** Undefined: there is no such key any more. */
  byName(name: string): Caller | undefined;
}

/** Who calls. Throws 401 and 403. */
export type Authenticate = (found: Matched, request: IncomingMessage) => Caller;

export const nobody: Caller = { name: '', scopes: new Set() };

/**
 * A key for what has a scope, a token of the sandbox for `sidecar` and for its own inside, nothing for what is `open`. `isElsewhere`: of a sandbox
 * whose token only its own host can read.
 */
export function authenticator(
  keys: Keys,
  tokens: SidecarTokens,
  isElsewhere: (found: Matched) => boolean = () => false,
): Authenticate {
  return (found, { headers }) => {
    const hop = headers[HOP_HEADER];
    const isHop = typeof hop === 'string' && keys.byToken(hop)?.scopes.has('admin') === true;
    if (isHop) return { ...callerOf(found, headers), isSentOn: true };
    return found.route.scope === 'sidecar' && isElsewhere(found) ? nobody : callerOf(found, headers);
  };

  function callerOf({ route, params }: Matched, headers: IncomingHttpHeaders): Caller {
    if (route.scope === 'open') return nobody;
    const token = bearerOf(headers.authorization) ?? subprotocol(headers['sec-websocket-protocol']);
    if (token === undefined) throw unauthorized('a key is required: Authorization: Bearer …');
    if (route.scope === 'sidecar') return holderOf(token, params.id);
    const holder = keys.byToken(token);
    // Newer clients send a sandbox's token to its `runtimeUrl`.
    if (holder === undefined && isInside(route) && tokens.read(token)?.cid === params.id)
      return holderOf(token, params.id);
    if (holder === undefined) throw unauthorized('this key is not known here, or not any more');
    const caller = onBehalf(holder, headers);
    if (!allows(caller, route.scope)) throw forbidden(caller, route.scope);
    return caller;
  }

  function holderOf(token: string, sandbox: string | undefined): Caller {
    const claims = tokens.read(token);
    // Made for another server's client, it lives as long as that server's key here.
    const holder = claims?.cid === sandbox ? keys.byName(claims?.by ?? claims?.sub ?? '') : undefined;
    if (claims === undefined || holder === undefined || !allows(holder, 'runtime'))
      throw new HttpError(403, 'FORBIDDEN', 'the token is not of this sandbox, or its time is over');
    const { sub: name, by, cap: tools } = claims;
    const scopes = by === undefined ? holder.scopes : new Set(['runtime' as const]);
    return { name, scopes, ...(by !== undefined && { by }), ...(tools && { tools }) };
  }
}

const isInside = ({ path, scope }: Matched['route']) =>
  scope === 'runtime' && path.startsWith('/v1/sandboxes/:id/runtime');

/** `Authorization: Bearer …`. */
function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S{1,4096}) *$/i.exec(header ?? '')?.[1];
}

/** `bearer.<base64url>`: browsers cannot give a WebSocket a header. */
function subprotocol(header: string | undefined): string | undefined {
  const [, text] = /(?:^|,)\s*bearer\.([A-Za-z0-9_-]{1,6000})\s*(?:,|$)/.exec(header ?? '') ?? [];
  return text === undefined ? undefined : Buffer.from(text, 'base64url').toString();
}

/** Digests are of one length, so comparing takes one time. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const unauthorized = (why: string) =>
  new HttpError(401, 'UNAUTHORIZED', why, {}, { 'www-authenticate': 'Bearer' });
