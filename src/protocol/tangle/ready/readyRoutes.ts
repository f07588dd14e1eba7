import { ofNew } from '../../../host/sandboxes/placement/capacity.ts';
import { place } from '../../../host/sandboxes/placement/place.ts';
import { allHosts } from '../hosts/allHosts.ts';
import type { Pool } from '../hosts/pool.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { violationsOf } from '../sandboxes/admission.ts';
import { checkHosts } from '../sandboxes/checkHosts.ts';
import { completed } from '../sandboxes/completed.ts';
import { policyRequest } from '../sandboxes/policyRequest.ts';
import { readCreate } from '../sandboxes/readCreate.ts';
import { readQuery } from './readQuery.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, or what holds. */
  readonly why: string;
  readonly details?: unknown;
}

/** Whether a request would become a sandbox: the same evaluation as for one that does, and nothing is started. */
export function readyRoutes(parts: Parts, pool: Pool | undefined): Route[] {
  const answer = (call: Call, body: Readonly<Record<string, unknown>>) =>
    readyAnswer(parts, pool, call.caller.name, body);
  return [
    {
      method: 'GET',
      path: '/v1/ready',
      scope: 'read',
      handle: async (call) => answer(call, readQuery(call.query)),
    },
    {
      method: 'POST',
      path: '/v1/ready',
      scope: 'read',
      handle: async (call) => answer(call, await call.body()),
    },
  ];
}

export function readyAnswer(
  parts: Parts,
  pool: Pool | undefined,
  key: string,
  body: Readonly<Record<string, unknown>>,
): Answer {
  const checks = checksOf(parts, pool, key, body);
  return { body: { ready: checks.every(({ ok }) => ok), checks } };
}

function checksOf(
  parts: Parts,
  pool: Pool | undefined,
  key: string,
  body: Readonly<Record<string, unknown>>,
): Check[] {
  const wanted = readCreate(body, undefined);
  const violations = violationsOf(parts, key, policyRequest(wanted));
  const rules = parts.policy.rulesOf(key);
  const request = completed(wanted, rules, { owner: key, from: undefined, secretEnv: {} });
  const hosts = allHosts(parts.capacity, pool);
  checkHosts(wanted.hints, hosts);
  const placed = place(hosts, ofNew(request.resources), wanted.hints);
  const here = parts.sandboxes.all().filter(({ owner }) => owner === key).length;
  const count = here + (pool?.count(key) ?? 0);
  const hasQuota = count < rules.resources.sandboxes;
  const missing = wanted.secrets.filter((name) => parts.secrets.find(key, name) === undefined);
  const isUp = parts.isReady();
  const eventsFail = parts.bus.trouble();
  return [
    {
      name: 'session-api',
      ok: isUp,
      why: isUp ? 'it answers, and so does the engine' : 'the engine has not answered yet',
    },
    {
      name: 'capacity',
      ok: placed.host !== undefined && hasQuota,
      why: hasQuota ? placed.why : `the key has ${count} sandboxes, of ${rules.resources.sandboxes}`,
      details: {
        host: placed.host,
        short: placed.host === undefined ? placed.short : [],
        maxLifetimeSeconds: (request.lifetimeMs ?? 0) / 1000,
      },
    },
    {
      name: 'policy',
      ok: violations.length === 0 && missing.length === 0,
      why:
        [
          ...violations.map(({ message }) => message),
          ...missing.map((name) => `there is no secret ${name}`),
        ].join('; ') || 'tools, domains, files, secrets, resources and provider are allowed',
      details: { violations },
    },
    {
      name: 'events',
      ok: eventsFail === undefined,
      why: eventsFail ?? 'start, tool, file, completion and failure are told',
    },
    { name: 'chain', ok: true, why: 'not applicable: this server is managed, there is no chain' },
  ];
}
