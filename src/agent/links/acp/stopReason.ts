import type { StopReason } from '../agentLink.ts';

const reasons: Readonly<Record<string, StopReason>> = {
  end_turn: 'end',
  max_tokens: 'max_tokens',
  max_turn_requests: 'max_turns',
  refusal: 'refusal',
  cancelled: 'cancelled',
};

/** ACP's reasons in our words; one that is not known yet is an end like others. */
export function stopReason(said: unknown): StopReason {
  return (typeof said === 'string' && Object.hasOwn(reasons, said) ? reasons[said] : undefined) ?? 'end';
}
