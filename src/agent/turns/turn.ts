import type { StopReason, Tokens } from '../links/agentLink.ts';
import type { EventLog } from './eventLog.ts';

export type TurnStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Why a turn failed: the codes that a client sees. */
export type TurnFailure =
  | 'agent_failed'
  | 'agent_died'
  | 'agent_refused'
  | 'agent_unreachable'
  | 'interrupted'
  | 'timeout';

export interface TurnError {
  readonly code: TurnFailure;
  readonly message: string;
}

export interface TurnUsage {
  readonly model: string | null;
  readonly provider: string | null;
  readonly tokens: Tokens;
  readonly source: 'reported' | 'estimated';
  /** Null unless the agent says it. */
  readonly usd: number | null;
}

/** A turn as a client sees it. Times are RFC 3339 in UTC. */
export interface Turn {
  readonly id: string;
  readonly conversation: string;
  readonly status: TurnStatus;
  readonly reply: string;
  readonly stopReason: StopReason | null;
  readonly usage: TurnUsage | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly firstTokenMs?: number;
  readonly error?: TurnError;
}

/** A turn as it is kept. Times are milliseconds since the epoch. */
export interface TurnRecord {
  readonly id: string;
  readonly conversation: string;
  readonly acceptedAt: number;
  /** Bytes of its message; what was said is not kept. */
  readonly messageBytes: number;
  status: TurnStatus;
  readonly log: EventLog;
  stopReason: StopReason | null;
  usage: TurnUsage | null;
  startedAt: number | null;
  endedAt: number | null;
  firstTokenMs: number | null;
  error: TurnError | undefined;
}

export function hasEnded({ status }: Pick<TurnRecord, 'status'>): boolean {
  return status !== 'queued' && status !== 'running';
}

export function showTurn(record: TurnRecord): Turn {
  const { firstTokenMs, error } = record;
  return {
    id: record.id,
    conversation: record.conversation,
    status: record.status,
    reply: record.log.reply,
    stopReason: record.stopReason,
    usage: record.usage,
    startedAt: time(record.startedAt),
    endedAt: time(record.endedAt),
    ...(firstTokenMs === null ? {} : { firstTokenMs }),
    ...(error && { error }),
  };
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
