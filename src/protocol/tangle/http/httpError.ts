import type { Caller, Scope } from '../access/caller.ts';

/** What a client is told: `{error, message, code}` and what else its error class reads (facts, section 3). */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly extras: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    extras: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.extras = extras;
    this.headers = headers;
  }
}

/** Refused for so many seconds: body and head say so alike. */
export const refusedFor = (
  seconds: number,
  status: number,
  code: string,
  message: string,
  extras: Readonly<Record<string, unknown>> = {},
): HttpError =>
  new HttpError(
    status,
    code,
    message,
    { ...extras, retryAfter: seconds },
    { 'retry-after': String(seconds) },
  );

export const notFound = (resourceType: string, resourceId: string): HttpError =>
  new HttpError(404, 'NOT_FOUND', `there is no ${resourceType} ${JSON.stringify(resourceId.slice(0, 200))}`, {
    resourceType,
    resourceId: resourceId.slice(0, 200),
  });

export const forbidden = ({ name }: Caller, scope: Scope): HttpError =>
  new HttpError(403, 'FORBIDDEN', `the key ${name} is not allowed: ${scope}`, { scope });

export const invalid = (fields: Readonly<Record<string, string>>): HttpError =>
  new HttpError(
    400,
    'VALIDATION_ERROR',
    Object.entries(fields)
      .map(([name, why]) => `${name}: ${why}`)
      .join('; '),
    { fields },
  );
