import { isRuntimeError } from '../../base/errors.ts';

/** What a call is refused with, in S3's words. */
export class S3Refusal extends Error {
  override readonly name = 'S3Refusal';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const denied = (why: string): S3Refusal => new S3Refusal(403, 'AccessDenied', why);

/** Errors of the folder as the clients of S3 know them. */
export function asRefusal(error: unknown): S3Refusal {
  if (error instanceof S3Refusal) return error;
  if (!isRuntimeError(error)) return new S3Refusal(500, 'InternalError');
  switch (error.code) {
    case 'not-found':
      return new S3Refusal(404, 'NoSuchKey', error.message);
    case 'conflict':
      return new S3Refusal(412, 'PreconditionFailed', error.message);
    case 'damaged':
      if (error.op === 'store.get') return new S3Refusal(416, 'InvalidRange', error.message);
      return /SHA-256|bytes that were promised/.test(error.message)
        ? new S3Refusal(400, 'XAmzContentSHA256Mismatch', error.message)
        : new S3Refusal(400, 'XMinioInvalidObjectName', error.message);
    case 'refused':
    case 'denied':
      return denied(error.message);
    case 'unavailable':
      return new S3Refusal(503, 'SlowDown', error.message);
    default:
      return new S3Refusal(500, 'InternalError', error.message);
  }
}
