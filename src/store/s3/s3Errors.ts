import { type ErrorDetails, isRuntimeError, RuntimeError } from '../../base/errors.ts';

/** What a store answered when it refused. */
export interface S3Failure {
  /** `store.get`. */
  readonly op: string;
  /** For the message: `bot-state/mybot/head at 127.0.0.1:9000`. */
  readonly subject: string;
  readonly status: number;
  /** `NoSuchKey`, `SlowDown`, …; undefined where the answer had no body that said so. */
  readonly code: string | undefined;
  /** The answer is of something that is no store: a proxy or an ingress with nothing behind it. */
  readonly foreign?: boolean;
  readonly retryAfterMs: number | undefined;
}

const credentialsHint =
  'Check MINIO_ACCESS_KEY and MINIO_SECRET_KEY (or the AWS credentials), and what they are allowed to do.';
const clockHint = 'The clock of this machine and that of the store differ by more than 15 minutes: set them.';
const endpointHint = 'Check MINIO_ENDPOINT and MINIO_USE_SSL: what answers there does not speak S3 as asked.';
const bucketHint =
  'Check MINIO_CODE_BUCKET, MINIO_STATE_BUCKET, MINIO_LOGS_BUCKET and MINIO_QUERY_RESULTS_BUCKET.';
const conditionsHint =
  'The store refuses what was asked of it (conditional writes?): it does not implement that.';
const foreignHint =
  'Something that is no store answered: a proxy or an ingress that does not reach it? Check MINIO_ENDPOINT.';
const regionHint = 'Check MINIO_REGION (or AWS_REGION): the bucket lies elsewhere.';

/** Faults of the transport's that S3 reports as the client's. */
const transient = new Set(['RequestTimeout', 'IncompleteBody', 'OperationAborted']);
/** The connection was too slow for somebody in between, or too early; or there are too many requests. */
const passing = new Set([408, 425, 429]);
const wrongRegion = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
/** What arrived is not what was signed: on the way bytes have changed, if the caller's hash was right. */
const checksum = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch']);
const unacceptable = new Set([
  'EntityTooLarge',
  'EntityTooSmall',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRange',
  'KeyTooLongError',
  'XMinioInvalidObjectName',
  'XMinioObjectExistsAsDirectory',
  'XMinioParentIsObject',
]);

/**
 * The one place that knows what S3's refusals mean. The server's own words stay out of the message: for a wrong
 * signature they repeat the request.
 */
export function s3Error(failure: S3Failure): RuntimeError {
  const { op, subject: path, status, code = '', foreign = false, retryAfterMs } = failure;
  const error = (kind: RuntimeError['code'], details: ErrorDetails = {}) =>
    new RuntimeError(kind, `${path}: ${code === '' ? `status ${status}` : code}`, { op, path, ...details });

  if (code === 'RequestTimeTooSkewed') return error('denied', { hint: clockHint });
  if (wrongRegion.has(code)) return error('unavailable', { hint: regionHint });
  if (code === 'InvalidBucketName') return error('config', { hint: bucketHint });
  if (checksum.has(code)) return error('damaged', { retryable: true });
  if (unacceptable.has(code) || status === 416) return error('damaged');
  // Two conditional writes met: neither condition has been decided.
  if (code === 'ConditionalRequestConflict') return error('conflict', { retryable: true });
  if (transient.has(code) || passing.has(status) || (status >= 500 && status !== 501))
    return error('unavailable', { retryable: true, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  // Taken for "not there", it would make a new bot of one whose store is gone.
  // A store that has no such bucket says so in its listing.
  if (status === 404 && (foreign || (op === 'store.list' && code === '')))
    return error('unavailable', { retryable: true, hint: foreignHint });
  if (status === 404) return error('not-found');
  if (status === 412 || status === 409) return error('conflict');
  if (status === 401 || status === 403)
    return error('denied', {
      hint: code === '' ? `${credentialsHint} Or else: ${clockHint}` : credentialsHint,
    });
  if (status === 501) return error('unavailable', { hint: conditionsHint });
  return error('unavailable', { hint: endpointHint });
}

/** The store has no notion of what it was asked for: 501. */
export function isNotImplemented(error: unknown): boolean {
  return isRuntimeError(error, 'unavailable') && error.hint === conditionsHint;
}

/** `Retry-After`: seconds, or a date, which is compared with the answer's own `Date`. */
export function parseRetryAfter(
  retryAfter: string | undefined,
  date: string | undefined,
): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.parse(date ?? '');
  return ms >= 0 ? ms : undefined;
}
