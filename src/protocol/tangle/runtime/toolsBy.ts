import type { Policy } from '../../../host/sandboxes/policy/policy.ts';
import { TOOLS, type Tool } from '../access/sidecarToken.ts';
import type { ToolsOf } from './openSandbox.ts';

/** What a sandbox was made with, as far as the policy of its key allows it now. */
export function toolsBy(policy: Policy): ToolsOf {
  return ({ owner, tools }) => {
    const allowed = policy.rulesOf(owner).tools;
    const isWhole = TOOLS.every((tool) => allowed.includes(tool));
    if (isWhole) return tools as readonly Tool[] | undefined;
    return TOOLS.filter((tool) => allowed.includes(tool) && (tools?.includes(tool) ?? true));
  };
}
