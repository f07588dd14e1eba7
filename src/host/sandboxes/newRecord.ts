import type { SandboxRecord } from './record.ts';
import type { NewSandbox } from './sandboxes.ts';

/** The record of a sandbox that is asked for. */
export function newRecord(
  { secretEnv, ...request }: NewSandbox,
  { id, digest, now }: { readonly id: string; readonly digest: string; readonly now: number },
): SandboxRecord {
  const secrets = Object.entries(secretEnv).map(([name, secret]) => [name, secret.reveal()]);
  return {
    ...request,
    version: 1,
    id,
    secretEnv: Object.fromEntries(secrets),
    digest,
    wanted: 'running',
    held: undefined,
    moves: 0,
    toFork: request.from !== undefined,
    createdAt: now,
    startedAt: undefined,
    lastActivityAt: now,
    removedAt: undefined,
    cause: undefined,
    error: undefined,
  };
}
