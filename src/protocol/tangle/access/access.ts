import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../../base/secret.ts';
import { type Caller, SCOPES } from './caller.ts';

/** Who it is that holds this token; undefined: nobody. */
export type FindCaller = (token: string) => Caller | undefined;

/** The one key that `RUNTIME_SERVE_KEY` says, which may do everything. */
export function singleKey(key: Secret): FindCaller {
  const expected = digest(key.reveal());
  const caller: Caller = { name: 'default', scopes: new Set(SCOPES) };
  return (token) => (timingSafeEqual(digest(token), expected) ? caller : undefined);
}

/** `Authorization: Bearer …`, and nothing else. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S{1,4096}) *$/i.exec(header ?? '')?.[1];
}

/** Digests are of one length, so comparing takes one time. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
