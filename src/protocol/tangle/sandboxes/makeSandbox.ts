import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import type { Call } from '../http/route.ts';
import type { WantedSandbox } from './readCreate.ts';

/** What a sandbox has that says nothing of it. */
const USUAL = {
  memoryBytes: 1024 * 2 ** 20,
  cpuMillis: 1000,
  diskBytes: 4 * 2 ** 30,
  pids: 512,
  lifetimeMs: 24 * 3_600_000,
  idleMs: 30 * 60_000,
} as const;

/** From what a client wants to what the host is told; refused before anything is made. */
export function makeSandbox({ sandboxes }: { readonly sandboxes: Sandboxes }) {
  return async (wanted: WantedSandbox, { caller }: Call): Promise<Sandbox> => {
    if (wanted.unenforceable.length > 0)
      throw new HttpError(403, 'POLICY_DENIED', wanted.unenforceable.join('; '), {
        violations: wanted.unenforceable,
      });
    return await sandboxes.create({
      owner: caller.name,
      name: wanted.name,
      image: wanted.image,
      env: wanted.env,
      secretEnv: {},
      resources: {
        memoryBytes: wanted.memoryBytes ?? USUAL.memoryBytes,
        cpuMillis: wanted.cpuMillis ?? USUAL.cpuMillis,
        cpuLimit: true,
        pids: USUAL.pids,
        diskBytes: wanted.diskBytes ?? USUAL.diskBytes,
      },
      egress: wanted.egress ?? 'internet',
      lifetimeMs: wanted.lifetimeMs ?? USUAL.lifetimeMs,
      idleMs: wanted.idleMs ?? USUAL.idleMs,
      tools: wanted.tools,
      metadata: wanted.metadata,
      agent: wanted.agent,
      from: undefined,
      idempotencyKey: wanted.idempotencyKey,
    });
  };
}
