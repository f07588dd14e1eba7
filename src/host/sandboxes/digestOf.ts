import { createHash } from 'node:crypto';
import type { NewSandbox } from './sandboxes.ts';

/** Equal for requests that ask for the same, in whatever order their fields are. */
export function digestOf({ idempotencyKey: _, secretEnv, ...request }: NewSandbox): string {
  const secrets = Object.fromEntries(
    Object.entries(secretEnv).map(([name, secret]) => [name, secret.reveal()]),
  );
  return createHash('sha256').update(JSON.stringify({ request, secrets }, sorted)).digest('hex');
}

function sorted(_: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
