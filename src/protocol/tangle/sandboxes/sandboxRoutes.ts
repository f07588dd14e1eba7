import { evaluate } from '../../../host/sandboxes/policy/evaluate.ts';
import { emptyRequest } from '../../../host/sandboxes/policy/policy.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { owns } from '../access/caller.ts';
import type { Pool } from '../hosts/pool.ts';
import { invalid } from '../http/httpError.ts';
import { idempotencyKey } from '../http/idempotencyKey.ts';
import type { Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { readyAnswer } from '../ready/readyRoutes.ts';
import { snapshotSource } from '../snapshots/snapshotSource.ts';
import { refuse } from './admission.ts';
import { answerOf } from './answerOf.ts';
import { findOwn, mustBe } from './findOwn.ts';
import { readCreate } from './readCreate.ts';
import { readPage } from './readPage.ts';
import { ENDED, STARTED, settled } from './settled.ts';
import { takeFromOf, visitOwn } from './visitOwn.ts';

/** Create, list, get, stop, resume, delete, keep alive. */
export function sandboxRoutes(parts: Parts, pool: Pool | undefined): Route[] {
  const { sandboxes, connect, maker, policy } = parts;
  const answer = (call: Call, sandbox: Sandbox, status?: number) => answerOf(connect, call, sandbox, status);
  const one = '/v1/sandboxes/:id';
  return [
    {
      method: 'POST',
      path: '/v1/sandboxes',
      scope: 'write',
      handle: async (call) => {
        const body = await call.body();
        if (body.dryRun === true) return readyAnswer(parts, pool, call.caller.name, body);
        const wanted = readCreate(body, idempotencyKey(call));
        const { fromSnapshot } = wanted;
        const from =
          fromSnapshot === undefined ? undefined : snapshotSource(parts, call.caller, fromSnapshot);
        return answer(call, await maker.make(wanted, call.caller, from), 201);
      },
    },
    {
      method: 'GET',
      path: '/v1/sandboxes',
      scope: 'read',
      handle: async (call) => {
        const { statuses, limit, offset } = readPage(call.query);
        const found = sandboxes
          .all()
          .filter(
            (each) => owns(call.caller, each) && (statuses.length === 0 || statuses.includes(each.status)),
          )
          .sort((a, b) => b.createdAt - a.createdAt || a.id.localeCompare(b.id))
          .slice(offset, offset + limit);
        return { body: { sandboxes: found.map((each) => answer(call, each).body) } };
      },
    },
    {
      method: 'GET',
      path: one,
      scope: 'read',
      handle: async (call) => answer(call, findOwn(sandboxes, call)),
    },
    {
      method: 'PATCH',
      path: one,
      scope: 'write',
      handle: async (call) => {
        const { id } = findOwn(sandboxes, call);
        const { idleTimeoutSeconds: seconds } = await call.body();
        const isFine = seconds === null || (typeof seconds === 'number' && seconds > 0 && seconds < 2 ** 31);
        if (!isFine) throw invalid({ idleTimeoutSeconds: 'expected seconds, or null' });
        const idleMs = seconds === null ? undefined : (seconds as number) * 1000;
        refuse(
          evaluate(
            { ...emptyRequest, idleMs: idleMs ?? Number.POSITIVE_INFINITY },
            policy.rulesOf(call.caller.name),
          ),
        );
        return answer(call, await sandboxes.setIdleTimeout(id, idleMs));
      },
    },
    {
      method: 'DELETE',
      path: one,
      scope: 'write',
      handle: async (call) => {
        await sandboxes.remove(findOwn(sandboxes, call).id, 'user');
        return { body: { success: true } };
      },
    },
    {
      method: 'POST',
      path: `${one}/stop`,
      scope: 'write',
      handle: async (call) => {
        const found = findOwn(sandboxes, call);
        if (found.status === 'stopped') return answer(call, found);
        mustBe(found, 'running', 'provisioning', 'pending');
        const stopping = await sandboxes.stop(found.id, 'user');
        return answer(call, await settled(sandboxes, stopping, ENDED, call.signal));
      },
    },
    {
      method: 'POST',
      path: `${one}/resume`,
      scope: 'write',
      handle: async (call) => {
        const { caller, params } = call;
        const takeFrom = takeFromOf(await call.body(), caller, pool);
        const found = await visitOwn(sandboxes, caller, params.id ?? '', takeFrom);
        if (found.status === 'running') return answer(call, found);
        mustBe(found, 'stopped', 'failed', 'provisioning', 'pending');
        const starting = await maker.resume(found);
        return answer(call, await settled(sandboxes, starting, STARTED, call.signal));
      },
    },
  ];
}
