import { type ErrorCode, RuntimeError, systemCode } from '../../../../base/errors.ts';

const LONGEST = 400;

/** What the engine answered when it refused. `subject`: what it was asked about, for the message. */
export function dockerError(op: string, subject: string, status: number, message: string): RuntimeError {
  const words = message.replace(/\s+/g, ' ').trim().slice(0, LONGEST);
  const text = `${subject}: ${words === '' ? `the engine answered ${status}` : words}`;
  const code = codeOf(status);
  return new RuntimeError(code, text, {
    op,
    path: subject,
    retryable: code === 'unavailable',
    ...(code === 'unavailable' && { hint: 'The log of the Docker Engine says more.' }),
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return 'not-found';
  if (status === 304 || status === 409) return 'conflict';
  if (status === 429 || (status >= 500 && status !== 501)) return 'unavailable';
  return 'refused';
}

/** The engine does not answer, or its answer broke off. What was asked may have been done all the same. */
export function noAnswer(op: string, subject: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const code = systemCode(error);
  const why = error instanceof Error ? error.message : String(error);
  const hint =
    code === 'EACCES'
      ? 'Run the host as root or in the group that owns the engine’s socket.'
      : code === 'ENOENT' || code === 'ECONNREFUSED'
        ? 'Start the Docker Engine, or set DOCKER_HOST.'
        : 'Is the Docker Engine overloaded or hanging? Its log says more.';
  return new RuntimeError('unavailable', `${subject}: no answer from the engine (${why})`, {
    op,
    path: subject,
    retryable: true,
    hint,
    cause: error,
  });
}
