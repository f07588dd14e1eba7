import type { IncomingHttpHeaders } from 'node:http';
import { type Caller, SCOPES } from './caller.ts';
import { KEY_NAME } from './keyFile.ts';

/** Headers of a server of sandboxes that asks another one for somebody whose key it has seen. */
export const FOR_HEADER = 'x-runtime-for';
export const ORIGIN_HEADER = 'x-runtime-origin';
/**
 * Of each such call, with the key that its server holds there: what is asked with a sandbox's token, or without any, is to be told from what
 * anybody says. It is answered there, and sent on to nobody, also where two servers know each other.
 */
export const HOP_HEADER = 'x-runtime-hop';

/** Whoever may do everything may name somebody: then it is his call, with all but that right. */
export function onBehalf(caller: Caller, headers: IncomingHttpHeaders): Caller {
  const name = headers[FOR_HEADER];
  if (typeof name !== 'string' || !KEY_NAME.test(name) || !caller.scopes.has('admin')) return caller;
  return { name, scopes: new Set(SCOPES.filter((scope) => scope !== 'admin')), by: caller.name };
}

/** Where the client reaches the server that asks; undefined: the call is of a client itself. */
export function originFor(caller: Caller, headers: IncomingHttpHeaders): string | undefined {
  const origin = headers[ORIGIN_HEADER];
  return caller.by !== undefined && typeof origin === 'string' && URL.canParse(origin) ? origin : undefined;
}
