import type { SandboxRecord } from './record.ts';

export interface Due {
  readonly at: number;
  readonly what: 'idle' | 'lifetime' | 'purge';
}

/** What has to happen to it next by itself, and when (milliseconds); undefined: nothing. */
export function nextDue(
  record: SandboxRecord,
  lastActivityAt: number,
  keepDeletedMs: number,
): Due | undefined {
  if (record.removedAt !== undefined) return { at: record.removedAt + keepDeletedMs, what: 'purge' };
  const ends = expiresAt(record);
  const lifetime: Due[] = ends === undefined ? [] : [{ at: ends, what: 'lifetime' }];
  const idle: Due[] =
    record.wanted !== 'running' || record.idleMs === undefined
      ? []
      : [{ at: lastActivityAt + record.idleMs, what: 'idle' }];
  return [...lifetime, ...idle].sort((one, other) => one.at - other.at)[0];
}

export function expiresAt({ createdAt, lifetimeMs }: Pick<SandboxRecord, 'createdAt' | 'lifetimeMs'>) {
  return lifetimeMs === undefined ? undefined : createdAt + lifetimeMs;
}
