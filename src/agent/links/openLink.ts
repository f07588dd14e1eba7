import type { AgentEndpoint } from '../../bot/kinds/agentSpec.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import { acpLink } from './acp/acpLink.ts';
import type { AgentLink, LinkOptions } from './agentLink.ts';
import { handlerLink } from './handlerLink.ts';
import { openAiLink } from './openai/openAiLink.ts';

export interface LinkChoice {
  readonly kind: Kind;
  /** The bot, which is what a handler is called. */
  readonly bot: string;
  /** Where the agent works: absolute. */
  readonly cwd: string;
  /** Where this life of it listens, if it does. */
  readonly endpoint: AgentEndpoint | undefined;
}

/** The link that an agent of this kind is spoken to by: a kind that says nothing has a program that answers messages itself. */
export function openLink({ kind, bot, cwd, endpoint }: LinkChoice, options: LinkOptions): AgentLink {
  const spec = kind.agent;
  if (spec?.protocol === 'acp') return acpLink({ ...options, spec, kind: kind.id, cwd });
  if (spec?.openai && endpoint) {
    return openAiLink({ ...options, spec: { ...spec, openai: spec.openai }, endpoint, kind: kind.id });
  }
  return handlerLink({ ...options, name: bot });
}
