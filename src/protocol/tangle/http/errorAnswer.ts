import { asRuntimeError, type ErrorCode, type RuntimeError } from '../../../base/errors.ts';
import { HttpError, refusedFor } from './httpError.ts';
import type { Answer } from './route.ts';

/** How long a client waits that was not told anything better, seconds. */
const USUAL_RETRY = 5;
const LATER = 60;

const statusOf: Partial<Record<ErrorCode, readonly [status: number, code: string]>> = {
  usage: [400, 'VALIDATION_ERROR'],
  config: [400, 'VALIDATION_ERROR'],
  damaged: [400, 'VALIDATION_ERROR'],
  denied: [403, 'POLICY_DENIED'],
  refused: [403, 'POLICY_DENIED'],
  'not-found': [404, 'NOT_FOUND'],
  conflict: [409, 'INVALID_STATE'],
  fenced: [409, 'INVALID_STATE'],
  unavailable: [503, 'UNAVAILABLE'],
  interrupted: [503, 'UNAVAILABLE'],
};

/** Any error as its answer. What nobody threw on purpose is a 500 that tells nothing of itself. */
export function errorAnswer(error: unknown): Answer {
  const { status, code, message, extras, headers } =
    error instanceof HttpError ? error : known(asRuntimeError(error));
  // Whoever is told to come later is told when, also where something has to be given up first.
  const later = (status === 429 || status === 503) && headers['retry-after'] === undefined;
  return {
    status,
    body: { error: message, message, code, ...extras },
    headers: later ? { ...headers, 'retry-after': String(LATER) } : headers,
  };
}

/** Whether the log has to say more of it. */
export function isDefect(error: unknown): boolean {
  return !(error instanceof HttpError) && statusOf[asRuntimeError(error).code] === undefined;
}

function known(error: RuntimeError): HttpError {
  const found = statusOf[error.code];
  if (found === undefined) return new HttpError(500, 'INTERNAL', 'the server failed; its log says why');
  const [status, code] = found;
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  if (status !== 503) return new HttpError(status, code, message);
  const seconds = error.retryAfterMs === undefined ? USUAL_RETRY : Math.ceil(error.retryAfterMs / 1000);
  return refusedFor(seconds, status, code, message);
}
