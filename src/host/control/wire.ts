import { type ErrorCode, RuntimeError } from '../../base/errors.ts';

/** An error on its way through the operator's socket. */
export interface WireError {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly problems?: readonly string[];
  };
}

export function toWire({ code, message, hint, problems }: RuntimeError): WireError {
  return { error: { code, message, ...(hint === undefined ? {} : { hint }), problems } };
}

export function fromWire({ error }: WireError): RuntimeError {
  const { code, message, hint, problems = [] } = error;
  return new RuntimeError(code, message, { problems, ...(hint === undefined ? {} : { hint }) });
}

export const statusOf: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  config: 400,
  damaged: 400,
  denied: 403,
  refused: 409,
  conflict: 409,
  'not-found': 404,
  unavailable: 503,
};

/** Why Secrets never get here: nothing of the API holds one but a token that is asked for. */
export const MAX_BODY_BYTES = 1024 * 1024;
