import { AgentError, type TurnEnd } from '../links/agentLink.ts';
import type { AddedUp } from './addUp.ts';
import type { Ended } from './entry.ts';
import type { TurnError, TurnRecord } from './turn.ts';

/** How a turn has ended, and what it has cost. */
export interface Outcome extends Pick<Ended, 'status' | 'stopReason' | 'error' | 'session'> {
  readonly added: AddedUp;
}

export type Judgement = Omit<Outcome, 'added' | 'session'>;

export const STOPPED: TurnError = { code: 'interrupted', message: 'the agent was stopped' };
export const CANCELLED = { status: 'cancelled', stopReason: 'cancelled' } as const;

export function failed(error: TurnError) {
  return { status: 'failed', stopReason: 'error', error } as const;
}

/** What a turn's end means that nobody has ended but the agent itself. */
export function judgeEnd(outcome: PromiseSettledResult<TurnEnd>, { log }: TurnRecord): Judgement {
  if (outcome.status === 'rejected') {
    const { reason } = outcome as { reason: unknown };
    const message = (reason instanceof Error ? reason.message : String(reason)).slice(0, 4096);
    return failed({ code: reason instanceof AgentError ? reason.code : 'agent_failed', message });
  }
  const { stopReason } = outcome.value;
  if (stopReason === 'cancelled') return CANCELLED;
  if (stopReason === 'error') {
    return failed({ code: 'agent_failed', message: 'the agent ended the turn with an error' });
  }
  if (stopReason === 'refusal' && log.reply === '') {
    return failed({ code: 'agent_refused', message: 'the agent refused without a word' });
  }
  return { status: 'completed', stopReason };
}
