import { randomBytes } from 'node:crypto';

/** A bucket's name that no other test uses. */
export function testBucket(purpose = 'test'): string {
  return `${purpose}-${randomBytes(6).toString('hex')}`;
}
