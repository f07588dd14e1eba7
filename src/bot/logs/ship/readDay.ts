import { RuntimeError } from '../../../base/errors.ts';
import { sha256 } from '../../../base/sha256.ts';
import type { CallOptions, ObjectStore } from '../../../store/objectStore.ts';
import type { KnownObject } from './shipRecord.ts';

/** How often it is asked for: one wrong answer is no reason to be behind. */
const LOOKS = 3;
const NEWLINE = 10;

/**
 * The bytes of a day's object. They are put again with more behind them: what a proxy answers in their place (an error, another object, a
 * part) would be all that is left of that day. Throws `unavailable` where it gets nothing else.
 */
export async function readDay(store: ObjectStore, base: KnownObject, options: CallOptions): Promise<Buffer> {
  for (let looks = 1; ; looks++) {
    const { body } = await store.get(base.key, { ...options, ifMatch: base.etag });
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (isDay(bytes, base)) return bytes;
    if (looks === LOOKS) throw answeredWrongly(base);
  }
}

/** Nobody knows the checksum of one that an earlier runtime has put: of that its length is known, and that it consists of lines. */
function isDay(bytes: Buffer, base: KnownObject): boolean {
  if (bytes.length !== base.size) return false;
  return base.sha256 === undefined ? bytes.at(-1) === NEWLINE : sha256(bytes) === base.sha256;
}

function answeredWrongly({ key, size }: KnownObject): RuntimeError {
  return new RuntimeError('unavailable', `the answer for ${key} is not the ${size} bytes that it has`, {
    op: 'logs.ship',
    path: key,
    retryable: true,
    hint: 'Something between the runtime and the store answers in its place: a gateway, a proxy, a cache.',
  });
}
