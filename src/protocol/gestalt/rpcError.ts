import { asRuntimeError, type ErrorCode } from '../../base/errors.ts';
import { status } from '../../base/parts/grpc.ts';

export type RpcCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'FAILED_PRECONDITION'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'UNIMPLEMENTED'
  | 'CANCELLED'
  | 'INTERNAL';

/** A refusal as gRPC tells it. gestaltd acts on NOT_FOUND and UNIMPLEMENTED alone; the rest is text for people. */
export class RpcError extends Error {
  readonly code: number;

  constructor(code: RpcCode, message: string) {
    super(message);
    this.code = status[code];
  }
}

const codes: Partial<Record<ErrorCode, RpcCode>> = {
  unavailable: 'UNAVAILABLE',
  config: 'INVALID_ARGUMENT',
  'not-found': 'FAILED_PRECONDITION',
  denied: 'FAILED_PRECONDITION',
  refused: 'FAILED_PRECONDITION',
};

/** `text`: instead of the error's own words. */
export function asRpcError(error: unknown, text?: string): RpcError {
  if (error instanceof RpcError) return error;
  const { code, message, hint } = asRuntimeError(error);
  const words = hint === undefined ? message : `${message}. ${hint}`;
  return new RpcError(codes[code] ?? 'INTERNAL', text ?? words);
}

/** HTTP/2 carries the message in a header, percent-encoded; receivers take 8 KiB of headers and more. */
const LONGEST_HEADER = 6000;
const START = 300;

/** A message that fits: of a longer one the beginning, which says what is the matter, and its end, which is a plugin's last output. */
export function fitMessage(text: string): string {
  let fitting = text.toWellFormed();
  for (
    let kept = LONGEST_HEADER;
    encodeURIComponent(fitting).length > LONGEST_HEADER;
    kept = Math.floor(kept * 0.8)
  )
    fitting = `${text.slice(0, START)} […] ${text.slice(-kept)}`.toWellFormed();
  return fitting;
}
