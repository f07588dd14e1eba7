import { createHash } from 'node:crypto';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../base/errors.ts';
import type { ObjectBody } from './objectStore.ts';

export interface Measure {
  /** Hex; the body is refused when it has another hash. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For messages. */
  readonly key: string;
}

/**
 * The bytes of a body, known at the end to be as many as promised and, where a hash was given, the right ones.
 * Whatever the source throws becomes a RuntimeError here, so that it is not taken for an error of the store's.
 */
export async function* measuredBody(body: ObjectBody, measure: Measure): AsyncGenerator<Uint8Array> {
  const { key, sha256, signal } = measure;
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  const size = body instanceof Uint8Array ? body.length : body.size;
  let seen = 0;
  for await (const chunk of bytesOf(body, key)) {
    signal?.throwIfAborted();
    seen += chunk.length;
    if (seen > size) break;
    hash?.update(chunk);
    yield chunk;
  }
  if (seen !== size) throw refused(key, `the body does not have the ${size} bytes that were promised`);
  if (hash && hash.digest('hex') !== sha256)
    throw refused(key, 'the body does not have the SHA-256 that was promised');
}

async function* bytesOf(body: ObjectBody, key: string): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  try {
    yield* body.open();
  } catch (error) {
    if (isRuntimeError(error)) throw error;
    throw new RuntimeError(
      'damaged',
      `${key}: the body could not be read: ${asRuntimeError(error).message}`,
      {
        op: 'store.put',
        path: key,
        cause: error,
      },
    );
  }
}

function refused(key: string, problem: string): RuntimeError {
  return new RuntimeError('damaged', `${key}: ${problem}`, { op: 'store.put', path: key });
}
