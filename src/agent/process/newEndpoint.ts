import { randomBytes } from 'node:crypto';
import type { AgentEndpoint, AgentSpec } from '../../bot/kinds/agentSpec.ts';
import { freePort } from './freePort.ts';

/** What one life of an agent listens on, and the key for it; undefined: it is not asked on a port. */
export async function newEndpoint(spec: AgentSpec | undefined): Promise<AgentEndpoint | undefined> {
  if (spec?.openai === undefined) return undefined;
  return { port: spec.openai.port ?? (await freePort()), key: randomBytes(24).toString('base64url') };
}
