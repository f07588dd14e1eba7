import { createHash, hash } from 'node:crypto';
import { sha256 as small } from '@noble/hashes/sha2.js';

/** Up to here `node:crypto` is not worth its loading, which takes 6 ms of a start. Bytes. */
const SMALL_BYTES = 4096;

/** Hex SHA-256 of a text (as UTF-8) or of bytes. */
export function sha256(data: string | Uint8Array): string {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  return bytes.length > SMALL_BYTES ? hash('sha256', bytes) : hex(small(bytes));
}

/** The same of about `size` bytes that come in pieces. */
export function startSha256(size: number): Sha256 {
  if (size <= SMALL_BYTES) {
    const running = small.create();
    return { update: (bytes) => void running.update(bytes), digest: () => hex(running.digest()) };
  }
  const running = createHash('sha256');
  return { update: (bytes) => void running.update(bytes), digest: () => running.digest('hex') };
}

export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Hex; the last call. */
  digest(): string;
}

const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
