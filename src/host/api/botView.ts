import type { BotState as LoopState } from '../loop/loop.ts';
import type { Entry } from '../sources/source.ts';
import type { BotState, BotView, RunView } from './hostApi.ts';

/** A bot as the loop sees it, in the words of the API. */
export function botView(state: LoopState, entry: Entry | undefined): BotView {
  const { bot, wanted, recorded, instances = [], now, conditions, ready } = state;
  const isPresent = wanted.type === 'present';
  const from = recorded.schedule?.from;
  return {
    name: bot,
    state: stateOf(ready?.reason, wanted.type),
    spec: isPresent ? wanted.spec : undefined,
    origin: entry?.origin,
    hash: isPresent ? wanted.hash : undefined,
    conditions,
    instances,
    nextRun: isPresent && wanted.spec.enabled ? wanted.schedule?.next(from ?? now) : undefined,
    lastRun: lastRun(state),
    lastEnd: recorded.ended && {
      at: recorded.ended.at,
      exitCode: recorded.ended.exitCode,
      reason: recorded.ended.reason,
    },
    failures: recorded.failures,
  };
}

function lastRun({ recorded, instances }: LoopState): RunView | undefined {
  const { claim, lastRun } = recorded;
  if (claim === undefined) return lastRun;
  const instance = instances?.find(({ run }) => run === claim.time);
  return {
    time: claim.time,
    startedAt: instance?.startedAt,
    endedAt: undefined,
    exitCode: undefined,
    outcome: 'running',
  };
}

function stateOf(reason: string | undefined, wanted: LoopState['wanted']['type']): BotState {
  switch (reason) {
    case 'Running':
      return 'running';
    case 'Starting':
    case 'Preparing':
      return 'starting';
    case 'Stopping':
    case 'Ended':
      return 'stopping';
    case 'BackOff':
      return 'backoff';
    case 'Completed':
    case 'NeedsChange':
    case 'Fenced':
    case 'NeverRestarted':
      return 'held';
    case 'Disabled':
      return 'disabled';
    default:
      return wanted === 'invalid' ? 'invalid' : wanted === 'absent' ? 'gone' : 'waiting';
  }
}
