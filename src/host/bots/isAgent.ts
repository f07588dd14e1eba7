import type { BotSpec } from './botSpec.ts';

/** Whether it answers messages: `/_runtime/agent` on its port. */
export function isAgent({ agent, entrypoints }: Pick<BotSpec, 'agent' | 'entrypoints'>): boolean {
  return agent === true || entrypoints.message !== undefined;
}
