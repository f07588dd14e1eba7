import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';

/** Why a question to the store failed; what this host itself gave up is `unavailable`. */
export function whatFailed(error: unknown): RuntimeError {
  if (isRuntimeError(error, 'conflict')) return refusesWrites(error);
  if (!(error instanceof DOMException) || error.name !== 'TimeoutError') return asRuntimeError(error);
  return new RuntimeError('unavailable', 'the store takes too long to answer', {
    op: 'owners.read',
    cause: error,
  });
}

/** Each write met a conflict, and nobody had written. */
function refusesWrites(cause: RuntimeError): RuntimeError {
  return new RuntimeError(
    'conflict',
    'the store refuses each conditional write, although nobody else has written',
    {
      op: 'owners.write',
      hint: 'Bots that this host did not have before are not started. Use a store that honours If-Match and If-None-Match on PUT, and look at what is between it and this host.',
      cause,
    },
  );
}
