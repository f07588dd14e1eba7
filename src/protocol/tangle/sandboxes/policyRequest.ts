import type { PolicyRequest } from '../../../host/sandboxes/policy/policy.ts';
import type { WantedSandbox } from './readCreate.ts';

/** What of it a policy has a word in. */
export function policyRequest(wanted: WantedSandbox): PolicyRequest {
  return {
    ...wanted,
    provider: wanted.hints.driver,
    agent: wanted.agent?.runtime ?? wanted.backend,
  };
}
