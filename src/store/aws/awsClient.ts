import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { S3Client } from '../../base/parts/aws.ts';
import { believed } from '../authorities.ts';
import { networkError } from '../s3/networkError.ts';
import { isForeign } from '../s3/requireStore.ts';
import { parseRetryAfter, s3Error } from '../s3/s3Errors.ts';

export interface AwsClientOptions {
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined;
  /** Undefined: what the environment or the profile says. */
  readonly region: string | undefined;
  /** A file of certificates: authorities to believe besides those that Node knows. */
  readonly authorities?: string | undefined;
}

/** Credentials from the SDK's default chain. It tries once: `withRetry` decides about more. */
export function createAwsClient({ endpoint, region, authorities }: AwsClientOptions): S3Client {
  const ca = authorities === undefined ? undefined : believed(authorities);
  const config: S3ClientConfig = {
    maxAttempts: 1,
    // The SDK would write to the console what is thrown anyway.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    // Bodies carry their SHA-256; a CRC of the SDK's own besides would need newer stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5000, socketTimeout: 30_000, ...(ca && { httpsAgent: { ca } }) },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  };
  return new S3Client(config);
}

/** The options of a call that a signal ends. */
export function abortable(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

interface SdkError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Record<string, string> };
}

/** Names that the SDK makes up for answers without a body, or with one that it cannot read. */
const nameless = /^(Error|NotFound|Forbidden|Unknown|UnknownError|\d+)$/;

/** An error of the SDK's as a RuntimeError; its own text stays out: it may hold what was sent. */
export function awsError(error: unknown, op: string, subject: string): RuntimeError {
  if (isRuntimeError(error)) return error;
  const { name = '', $metadata, $response } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) {
    const headers = $response?.headers ?? {};
    const { 'retry-after': retryAfter, date, 'content-length': length = '0' } = headers;
    const code = nameless.test(name) ? undefined : name;
    // The SDK has read the body, and keeps it to itself. One of S3's has a code.
    const hasText = op !== 'store.head' && length !== '0';
    const foreign = code === undefined && isForeign(headers, hasText ? 'some' : '');
    return s3Error({ op, subject, status, code, foreign, retryAfterMs: parseRetryAfter(retryAfter, date) });
  }
  if (name === 'CredentialsProviderError')
    return new RuntimeError('denied', `${subject}: no AWS credentials were found`, {
      op,
      path: subject,
      hint: 'Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role to this machine or container.',
    });
  // Of the SDK's configuration, which knows no code for it.
  if ((error as Error).message === 'Region is missing')
    return new RuntimeError('unavailable', `${subject}: no region of AWS is named`, {
      op,
      path: subject,
      hint: 'Give AWS_REGION, or a profile that has one; MINIO_ENDPOINT names a store elsewhere.',
    });
  return networkError(error, op, subject);
}
