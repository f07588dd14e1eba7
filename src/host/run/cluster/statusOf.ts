import type { BotView } from '../../api/hostApi.ts';
import type { Condition } from '../../journal/condition.ts';

/** `status` of a Bot, as deploy/ defines it. Times are RFC 3339. */
export interface BotStatus {
  readonly observedGeneration?: number;
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly failures?: number;
  readonly nextRun?: string;
  readonly lastRun?: object;
  readonly lastEnd?: object;
  readonly snapshot?: Snapshot;
  readonly conditions?: readonly StatusCondition[];
}

export interface Snapshot {
  readonly sequence: number;
  readonly generation: number;
  readonly time: string;
}

interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** A reason in CamelCase, and a sentence. */
export interface Stays {
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly view: BotView;
  readonly generation: number;
  readonly before: BotStatus;
  /** Undefined: not asked. */
  readonly snapshot: Snapshot | undefined;
  /** Why a bot that is deleted is still there. */
  readonly stays: Stays | undefined;
  readonly now: number;
}

/** What the cluster shows of a bot. It is equal to `before` where nothing has changed, whichever replica looks. Pure. */
export function statusOf({ view, generation, before, snapshot, stays, now }: StatusInput): BotStatus {
  const conditions: readonly Omit<Condition, 'since'>[] = [
    ...view.conditions.filter(({ type }) => type !== 'Degraded' || stays === undefined),
    ...(stays === undefined ? [] : [{ type: 'Degraded' as const, status: true, ...stays }]),
  ];
  const since = new Map(view.conditions.map((one) => [one.type, one.since]));
  const ready = view.conditions.find(({ type }) => type === 'Ready');
  const { lastRun, lastEnd, nextRun } = view;
  return compact({
    observedGeneration: generation,
    phase: view.state,
    reason: ready?.reason,
    message: ready?.message,
    failures: view.failures || undefined,
    nextRun: iso(nextRun),
    lastRun: lastRun && {
      time: iso(lastRun.time),
      outcome: lastRun.outcome,
      startedAt: iso(lastRun.startedAt),
      endedAt: iso(lastRun.endedAt),
      exitCode: lastRun.exitCode,
    },
    lastEnd: lastEnd && { time: iso(lastEnd.at), exitCode: lastEnd.exitCode, reason: lastEnd.reason },
    snapshot: snapshot ?? before.snapshot,
    conditions: conditions.map((one) => conditionOf(one, since.get(one.type) ?? now, generation, before)),
  });
}

function conditionOf(
  { type, status, reason, message }: Omit<Condition, 'since'>,
  since: number,
  observedGeneration: number,
  { conditions = [] }: BotStatus,
): StatusCondition {
  const word = status === 'unknown' ? 'Unknown' : status ? 'True' : 'False';
  const old = conditions.find((one) => one.type === type);
  return {
    type,
    status: word,
    reason: reason || 'Unknown',
    message: message.slice(0, 32_768),
    // Since when it is so, not since when this replica knows.
    lastTransitionTime: old?.status === word ? old.lastTransitionTime : iso(since)!,
    observedGeneration,
  };
}

/** Whole seconds: what the cluster keeps of a time. */
function iso(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** As JSON has it: without what is undefined. */
function compact(status: object): BotStatus {
  return JSON.parse(JSON.stringify(status)) as BotStatus;
}
