import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';

/** Whether an `Authorization` header carries the token; without a token everybody may ask. */
export function tokenCheck(token: Secret | undefined): (header: string | undefined) => boolean {
  if (token === undefined) return () => true;
  const expected = digest(token.reveal());
  return (header) => {
    const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

/** Digests are of one length, so comparing takes one time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
