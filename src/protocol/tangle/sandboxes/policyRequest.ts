import { emptyRequest, type PolicyRequest } from '../../../host/sandboxes/policy/policy.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { WantedSandbox } from './readCreate.ts';

/** What of it a policy has a word in. */
export function policyRequest(wanted: WantedSandbox): PolicyRequest {
  return {
    ...wanted,
    provider: wanted.hints.driver,
    agent: wanted.agent?.runtime ?? wanted.backend,
    code: wanted.agent?.code || undefined,
  };
}

/** The same of one that is there: which secrets it was given is not known any more. */
export function policyRequestOf({
  tools,
  egress,
  image,
  agent,
  resources,
  lifetimeMs,
  idleMs,
}: Sandbox): PolicyRequest {
  const { cpuMillis, memoryBytes, diskBytes } = resources;
  const sizes = { cpuMillis, memoryBytes, diskBytes, lifetimeMs, idleMs };
  return {
    ...emptyRequest,
    ...sizes,
    tools,
    egress,
    image,
    agent: agent?.runtime,
    code: agent?.code || undefined,
  };
}
