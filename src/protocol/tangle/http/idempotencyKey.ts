import type { Call } from './route.ts';

/** `Idempotency-Key`, under which the same call is done once. */
export function idempotencyKey({ request }: Pick<Call, 'request'>): string | undefined {
  const { 'idempotency-key': key } = request.headers;
  return typeof key === 'string' ? key : undefined;
}
