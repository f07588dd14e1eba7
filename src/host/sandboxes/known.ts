import { expiresAt } from './due.ts';
import type { SandboxRecord } from './record.ts';
import type { Sandbox, SandboxStatus } from './sandboxes.ts';
import { statusOfEnded } from './statusOf.ts';

/** A sandbox as this server knows it: what is written down, and what was last seen of it. */
export interface Known {
  record: SandboxRecord;
  status: SandboxStatus;
  /** The engine has said something of it. */
  isSeen: boolean;
  /** Of the instance that runs, or ran last. */
  startedAt: number | undefined;
  lastActivityAt: number;
  /** The last of its changes. */
  turn: Promise<void>;
}

export function newKnown(record: SandboxRecord, now: number): Known {
  return {
    record,
    status: record.wanted === 'running' ? 'pending' : statusOfEnded(record),
    isSeen: false,
    startedAt: record.startedAt,
    // Nobody could use it while no server was there.
    lastActivityAt: record.wanted === 'running' ? now : record.lastActivityAt,
    turn: Promise.resolve(),
  };
}

/** Of a record only what clients may know: its secrets and its digest are none of it. */
export function viewOf({ record, status, startedAt, lastActivityAt }: Known, host: string): Sandbox {
  return {
    id: record.id,
    owner: record.owner,
    name: record.name,
    image: record.image,
    env: record.env,
    resources: record.resources,
    egress: record.egress,
    lifetimeMs: record.lifetimeMs,
    idleMs: record.idleMs,
    tools: record.tools,
    metadata: record.metadata,
    agent: record.agent,
    idempotencyKey: record.idempotencyKey,
    status,
    host: status === 'pending' ? undefined : host,
    createdAt: record.createdAt,
    startedAt,
    lastActivityAt,
    expiresAt: expiresAt(record),
    error: record.error,
    cause: record.cause,
  };
}
