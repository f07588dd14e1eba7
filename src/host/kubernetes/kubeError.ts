import { type ErrorCode, RuntimeError, systemCode } from '../../base/errors.ts';

const LONGEST = 400;

/** What the API says when it refuses. */
export interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** `subject`: what it was asked about, for the message. 410 is `conflict`: what was asked for has been compacted away. */
export function kubeError(
  op: string,
  subject: string,
  status: number,
  said: Status,
  retryAfterMs?: number,
): RuntimeError {
  const words = (said.message ?? '').replace(/\s+/g, ' ').trim().slice(0, LONGEST);
  const code = codeOf(status);
  const hint = hints[status];
  return new RuntimeError(code, `${subject}: ${words === '' ? `the API answered ${status}` : words}`, {
    op,
    path: subject,
    retryable: code === 'unavailable',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
  });
}

const hints: Readonly<Record<number, string>> = {
  401: 'The cluster does not know who asks: a token that has expired, or another cluster’s.',
  403: 'deploy/ has the Role that the host needs; or a policy of the cluster forbids it.',
};

function codeOf(status: number): ErrorCode {
  if (status === 404) return 'not-found';
  if (status === 409 || status === 410) return 'conflict';
  if (status === 401 || status === 403) return 'denied';
  if (status === 408 || status === 429 || (status >= 500 && status !== 501)) return 'unavailable';
  return 'refused';
}

/** The API does not answer, or its answer broke off. What was asked may have been done all the same. */
export function noAnswer(op: string, subject: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const code = systemCode(error);
  return new RuntimeError('unavailable', `${subject}: no answer from the cluster (${why})`, {
    op,
    path: subject,
    retryable: true,
    ...(code?.startsWith('ERR_TLS') || /certificate/.test(why)
      ? { hint: 'Is it this cluster’s certificate authority in the kubeconfig?' }
      : {}),
    cause: error,
  });
}
