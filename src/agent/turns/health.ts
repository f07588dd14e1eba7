import type { Standing } from './agentLife.ts';

export interface HealthFacts {
  readonly standing: Standing;
  readonly isRestarting: boolean;
  readonly isStopping: boolean;
  readonly active: number;
  /** What is wrong although the agent answers, in words. */
  readonly troubles: readonly (string | undefined)[];
}

export type HealthStatus = 'starting' | 'ready' | 'busy' | 'degraded' | 'restarting' | 'stopping' | 'failed';

export interface Health {
  readonly status: HealthStatus;
  /** Whether it takes messages. */
  readonly ready: boolean;
  readonly reason?: string;
}

/** How an agent stands, from all that is known of it. */
export function health({ standing, isRestarting, isStopping, active, troubles }: HealthFacts): Health {
  if (isStopping) return { status: 'stopping', ready: false };
  if (isRestarting) return { status: 'restarting', ready: false };
  if (standing.type === 'starting') return { status: 'starting', ready: false };
  if (standing.type === 'down') return { status: 'failed', ready: false, reason: standing.reason };
  const reason = troubles.find((trouble) => trouble !== undefined);
  if (active > 0) return { status: 'busy', ready: true, ...(reason === undefined ? {} : { reason }) };
  return reason === undefined
    ? { status: 'ready', ready: true }
    : { status: 'degraded', ready: true, reason };
}
