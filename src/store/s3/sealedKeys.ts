import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Secret } from '../../base/secret.ts';

/** Keys of a store that hold for a time. */
export interface TimedKeys {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly sessionToken: Secret | undefined;
  /** Milliseconds. */
  readonly expiresAt: number;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const SEAL_BYTES = 32;

/**
 * One line of text that only `seal` (32 bytes, base64url) opens. A container reads renewed keys from a file without a restart, and
 * the bot in it, which is the same user, reads nothing of them: the seal is in an environment that the kernel closes to it.
 */
export function sealKeys(keys: TimedKeys, seal: Secret): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, sealOf(seal), nonce);
  const text = JSON.stringify({
    accessKey: keys.accessKey.reveal(),
    secretKey: keys.secretKey.reveal(),
    sessionToken: keys.sessionToken?.reveal(),
    expiresAt: keys.expiresAt,
  });
  const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString('base64url');
}

/** The keys among the lines of `text` that this seal opens; undefined when there are none. */
export function openSealedKeys(text: string, seal: Secret): TimedKeys | undefined {
  for (const line of text.split('\n')) {
    const keys = openLine(Buffer.from(line, 'base64url'), sealOf(seal));
    if (keys) return keys;
  }
  return undefined;
}

function openLine(sealed: Buffer, seal: Buffer): TimedKeys | undefined {
  if (sealed.length <= NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, seal, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text =
      decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    const { accessKey, secretKey, sessionToken, expiresAt } = JSON.parse(text);
    return {
      accessKey: new Secret(accessKey),
      secretKey: new Secret(secretKey),
      sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
      expiresAt,
    };
  } catch {
    // Sealed for another, or not whole.
    return undefined;
  }
}

function sealOf(seal: Secret): Buffer {
  const bytes = Buffer.from(seal.reveal(), 'base64url');
  // Of another length none opens anything, and the cipher would throw.
  return bytes.length === SEAL_BYTES ? bytes : Buffer.alloc(SEAL_BYTES);
}
