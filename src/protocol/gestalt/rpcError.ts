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

export function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const { code, message, hint } = asRuntimeError(error);
  return new RpcError(codes[code] ?? 'INTERNAL', hint === undefined ? message : `${message}. ${hint}`);
}
