import { isRuntimeError, RuntimeError } from '../base/errors.ts';
import type { ObjectBody, PutOptions } from './objectStore.ts';
import { sha256Of } from './sha256.ts';

/**
 * A store that finds another hash than the one announced cannot know who is wrong: the network, and then another try
 * may do, or the caller. Resolves with the error to throw.
 */
export async function blameChecksum(
  error: unknown,
  key: string,
  body: ObjectBody,
  { sha256, signal }: PutOptions,
): Promise<unknown> {
  if (!isRuntimeError(error, 'damaged') || !error.retryable || sha256 === undefined) return error;
  if ((await sha256Of(body, { key, signal })) === sha256) return error;
  return new RuntimeError('damaged', `${key}: the body does not have the SHA-256 that was promised`, {
    op: 'store.put',
    path: key,
    cause: error,
  });
}
