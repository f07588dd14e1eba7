import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../base/secret.ts';
import type { TimedKeys } from '../../store/s3/sealedKeys.ts';
import { S3Refusal } from './s3Refusal.ts';

/** Keys of this store: its own, which may do everything, and those that it makes of them for a time and a policy. */
export interface StoreKeys {
  readonly accessKey: string;
  readonly secretKey: Secret;
}

export interface Holder {
  readonly accessKey: string;
  readonly secretKey: Secret;
  /** JSON; undefined: everything is allowed. */
  readonly policy: string | undefined;
}

/** As a session token says it: which keys, until when, for what. */
interface Session {
  readonly key: string;
  readonly until: number;
  readonly policy: string;
}

/** New keys that open what the policy says. Nothing is kept: the token itself says all, and only the store can make one. */
export function issueKeys(root: StoreKeys, policy: string, expiresAt: number): TimedKeys {
  const accessKey = `rt${randomBytes(9).toString('hex')}`;
  const session: Session = { key: accessKey, until: expiresAt, policy };
  const text = Buffer.from(JSON.stringify(session)).toString('base64url');
  return {
    accessKey: new Secret(accessKey),
    secretKey: secretOf(root, text),
    sessionToken: new Secret(`${text}.${mac(root, 'token', text)}`),
    expiresAt,
  };
}

/** Whose keys a request was signed with. Throws as S3 does for those that are not ours, or not any more. */
export function holderOf(root: StoreKeys, accessKey: string, token: string | undefined, now: number): Holder {
  if (token === undefined) {
    if (!isSame(accessKey, root.accessKey)) throw new S3Refusal(403, 'InvalidAccessKeyId');
    return { accessKey, secretKey: root.secretKey, policy: undefined };
  }
  const [text = '', given = ''] = token.split('.');
  if (!isSame(given, mac(root, 'token', text))) throw new S3Refusal(403, 'InvalidTokenId');
  const session = JSON.parse(Buffer.from(text, 'base64url').toString()) as Session;
  if (session.key !== accessKey) throw new S3Refusal(403, 'InvalidAccessKeyId');
  if (session.until <= now) throw new S3Refusal(403, 'ExpiredToken');
  return { accessKey, secretKey: secretOf(root, text), policy: session.policy };
}

const secretOf = (root: StoreKeys, text: string) => new Secret(mac(root, 'secret', text));

function mac(root: StoreKeys, purpose: string, text: string): string {
  return createHmac('sha256', root.secretKey.reveal()).update(`${purpose}:${text}`).digest('hex');
}

export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
