import { isObject } from '../../../bot/config/parsers.ts';
import type { AgentSpec } from '../../../bot/kinds/agentSpec.ts';

const wanted = { reject: ['reject_once', 'reject_always'], allow: ['allow_once', 'allow_always'] } as const;

/**
 * The answer to `session/request_permission`: nobody is there who could be asked, and without an answer the turn hangs for ever. Once
 * rather than always; `cancelled` where no option says what the manifest says, or no turn is under way.
 */
export function answerPermission(
  options: unknown,
  policy: AgentSpec['permissions'],
  isUnderWay: boolean,
): { readonly outcome: object } {
  const offered = Array.isArray(options) ? options.filter(isObject) : [];
  const option = wanted[policy]
    .map((kind) => offered.find((one) => one.kind === kind))
    .find((one) => typeof one?.optionId === 'string');
  if (!isUnderWay || !option) return { outcome: { outcome: 'cancelled' } };
  return { outcome: { outcome: 'selected', optionId: option.optionId } };
}
