import { createHash } from 'node:crypto';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import { sha256 } from '../../../base/sha256.ts';
import type { CallOptions, ObjectStore } from '../../../store/objectStore.ts';
import { getBytes } from '../../../store/readAll.ts';
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
    const bytes = await answerOf(store, base, options);
    if (bytes && isDay(bytes, base)) return bytes;
    if (looks < LOOKS) continue;
    // The store's own tag says that these are its bytes: it is the checksum that is wrong, and the next write puts a right one.
    if (bytes && isTagOf(bytes, base)) return bytes;
    // People may have edited it, and left its last line without an end: that stays so however often it is asked for.
    if (bytes && base.sha256 === undefined) return bytes;
    throw bytes ? wrongSum(base) : answeredWrongly(base);
  }
}

/** `op` of the error for bytes that are as many as they should, with another checksum than the store tells. */
export const WRONG_SUM = 'logs.wrongSum';

/** As most stores make tags of what was put at once. */
function isTagOf(bytes: Buffer, { etag }: KnownObject): boolean {
  return etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
}

function wrongSum({ key, size }: KnownObject): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `the ${size} bytes of ${key} do not have the SHA-256 that the store tells of them`,
    {
      op: WRONG_SUM,
      path: key,
      retryable: true,
      hint: `The object is damaged in the store, or a proxy changes it on its way. Its lines are not replaced: if that stays so, it is kept under another name beside ${key}, and later lines go into a new one.`,
    },
  );
}

/** Undefined: it has another length. */
async function answerOf(
  store: ObjectStore,
  { key, etag, size }: KnownObject,
  options: CallOptions,
): Promise<Buffer | undefined> {
  try {
    const { bytes } = await getBytes(store, key, { ...options, ifMatch: etag, maxBytes: size });
    return bytes.length === size ? bytes : undefined;
  } catch (error) {
    if (isRuntimeError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** Nobody knows the checksum of one that somebody else has put, or an earlier runtime: of that it is known that it consists of lines. */
function isDay(bytes: Buffer, { sha256: wanted }: KnownObject): boolean {
  return wanted === undefined ? bytes.at(-1) === NEWLINE : sha256(bytes) === wanted;
}

function answeredWrongly({ key, size }: KnownObject): RuntimeError {
  return new RuntimeError('unavailable', `the answer for ${key} is not the ${size} bytes that it has`, {
    op: 'logs.ship',
    path: key,
    retryable: true,
    hint: 'Something between the runtime and the store answers in its place: a gateway, a proxy, a cache.',
  });
}
