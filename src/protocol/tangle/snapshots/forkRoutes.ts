import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { invalid } from '../http/httpError.ts';
import { idempotencyKey } from '../http/idempotencyKey.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { findOwn } from '../sandboxes/findOwn.ts';
import { infoOf } from '../sandboxes/infoOf.ts';
import { readCreate, type WantedSandbox } from '../sandboxes/readCreate.ts';
import { publishNow } from './publishNow.ts';
import { snapshotSource } from './snapshotSource.ts';

/** `POST /v1/sandboxes/{id}/fork`: another sandbox like this one, with its disk as it is now, or as a checkpoint has it. Its secrets are named anew. */
export function forkRoutes(parts: Parts): Route[] {
  const { sandboxes, connect, maker, clock } = parts;
  return [
    {
      method: 'POST',
      path: '/v1/sandboxes/:id/fork',
      scope: 'write',
      handle: async (call) => {
        const original = findOwn(sandboxes, call);
        const { checkpointId, snapshotId = checkpointId, ...body } = await call.body();
        if (snapshotId !== undefined && snapshotId !== null && typeof snapshotId !== 'string')
          throw invalid({ checkpointId: 'expected a text' });
        const wanted = like(original, readCreate(body, idempotencyKey(call)));
        const from = await beginning(original, snapshotId ?? undefined, call);
        const made = await maker.make(wanted, call.caller, from);
        return { status: 201, body: { sandbox: infoOf(made, connect(made, call.caller, call.origin)) } };
      },
    },
  ];

  async function beginning({ id, status }: Sandbox, snapshot: string | undefined, call: Call) {
    if (snapshot !== undefined) return snapshotSource(parts, call.caller, snapshot);
    if (status !== 'running') return { sandbox: id, sequence: undefined };
    const sequence = await publishNow(sandboxes, id, clock, call.signal);
    return { sandbox: id, sequence: sequence === 0 ? undefined : sequence };
  }
}

/** What is not said anew is as it was. */
function like(original: Sandbox, wanted: WantedSandbox): WantedSandbox {
  const { resources } = original;
  return {
    ...wanted,
    name: wanted.name ?? original.name,
    image: wanted.image ?? original.image,
    env: { ...original.env, ...wanted.env },
    cpuMillis: wanted.cpuMillis ?? resources.cpuMillis,
    memoryBytes: wanted.memoryBytes ?? resources.memoryBytes,
    diskBytes: wanted.diskBytes ?? resources.diskBytes,
    lifetimeMs: wanted.lifetimeMs ?? original.lifetimeMs,
    idleMs: wanted.idleMs ?? original.idleMs,
    egress: wanted.egress ?? original.egress,
    tools: wanted.tools ?? (original.tools as WantedSandbox['tools']),
    metadata: wanted.metadata ?? original.metadata,
    agent: wanted.agent ?? original.agent,
  };
}
