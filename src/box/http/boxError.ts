import { isRuntimeError, systemCode } from '../../base/errors.ts';

/** What a request is refused with. `facts` go into the answer as they are: `fields`, `resourceId`, `timeoutMs`, … */
export class BoxError extends Error {
  override readonly name = 'BoxError';
  readonly status: number;
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.facts = facts;
    this.headers = headers;
  }
}

/** A field of the request that is wrong, and why. */
export const invalid = (field: string, why: string) =>
  new BoxError(400, 'VALIDATION_ERROR', `${field} ${why}`, { fields: { [field]: why } });

/** The system's errors, by what a client can do about them. */
const systemErrors: Readonly<Record<string, readonly [status: number, code: string]>> = {
  ENOENT: [404, 'NOT_FOUND'],
  EACCES: [403, 'FORBIDDEN'],
  EPERM: [403, 'FORBIDDEN'],
  EROFS: [403, 'FORBIDDEN'],
  EISDIR: [400, 'IS_A_FOLDER'],
  ENOTDIR: [400, 'NOT_A_FOLDER'],
  EINVAL: [400, 'VALIDATION_ERROR'],
  ELOOP: [400, 'VALIDATION_ERROR'],
  ENAMETOOLONG: [400, 'VALIDATION_ERROR'],
  ENXIO: [400, 'VALIDATION_ERROR'],
  E2BIG: [413, 'PAYLOAD_TOO_LARGE'],
  EFBIG: [413, 'FILE_TOO_LARGE'],
  EEXIST: [409, 'ALREADY_EXISTS'],
  ENOTEMPTY: [409, 'NOT_EMPTY'],
  EBUSY: [409, 'BUSY'],
  ENOSPC: [507, 'DISK_FULL'],
  EDQUOT: [507, 'DISK_FULL'],
  EMFILE: [503, 'NO_ROOM'],
  ENFILE: [503, 'NO_ROOM'],
  EAGAIN: [503, 'NO_ROOM'],
  ENOMEM: [503, 'NO_ROOM'],
};

/** Any thrown value as what the client is told. What was not foreseen is a 500 without its details. */
export function asBoxError(error: unknown): BoxError {
  if (error instanceof BoxError) return error;
  if (isRuntimeError(error, 'damaged', 'refused'))
    return new BoxError(400, 'VALIDATION_ERROR', error.message);
  const code = systemCode(error) ?? '';
  const known = systemErrors[code];
  if (!known) return new BoxError(500, 'SERVER_ERROR', 'the box failed');
  const path = (error as { readonly path?: unknown }).path;
  const what = typeof path === 'string' ? `${path}: ${code}` : code;
  return new BoxError(
    known[0],
    known[1],
    what,
    known[0] === 404 ? { resourceType: 'file', resourceId: path } : {},
  );
}
