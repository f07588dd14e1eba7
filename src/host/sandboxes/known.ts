import { RuntimeError } from '../../base/errors.ts';
import { expiresAt } from './due.ts';
import type { SandboxRecord } from './record.ts';
import type { Sandbox, SandboxStatus } from './sandboxes.ts';
import { statusOfEnded } from './statusOf.ts';

/** A sandbox as this server knows it: what is written down, and what was last seen of it. */
export interface Known {
  record: SandboxRecord;
  status: SandboxStatus;
  /** Why one that is to run does not, as far as the host knows; it goes on trying. */
  hindered?: string | undefined;
  /** The engine has said something of it. */
  isSeen: boolean;
  /** All that its last instance had written is known to be in the store. */
  isSaved: boolean;
  /** Of the instance that runs, or ran last. */
  startedAt: number | undefined;
  lastActivityAt: number;
  /** When it was last looked up in the store: this host has it no more than any other. Undefined: it is this host's to look after. */
  visitedAt: number | undefined;
  /** The last of its changes. */
  turn: Promise<void>;
}

export function newKnown(record: SandboxRecord, now: number): Known {
  return {
    record,
    status: record.wanted === 'running' ? 'pending' : statusOfEnded(record),
    isSeen: false,
    isSaved: false,
    startedAt: record.startedAt,
    // Nobody could use it while no server was there.
    lastActivityAt: record.wanted === 'running' ? now : record.lastActivityAt,
    visitedAt: undefined,
    turn: Promise.resolve(),
  };
}

/** Of a record only what clients may know: its secrets and its digest are none of it. */
export function viewOf(
  { record, status, hindered, startedAt, lastActivityAt, visitedAt }: Known,
  host: string,
): Sandbox {
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
    host: status === 'pending' || visitedAt !== undefined ? undefined : host,
    isVisiting: visitedAt !== undefined,
    moves: record.moves,
    createdAt: record.createdAt,
    startedAt,
    lastActivityAt,
    expiresAt: expiresAt(record),
    error: record.error ?? hindered,
    cause: record.cause,
  };
}

export const noSandbox = (id: string): RuntimeError =>
  new RuntimeError('not-found', `no sandbox ${id}`, { op: 'sandboxes.find', path: id });
