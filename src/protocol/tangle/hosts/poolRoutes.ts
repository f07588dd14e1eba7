import { NoRoom, ofNew } from '../../../host/sandboxes/placement/capacity.ts';
import { place } from '../../../host/sandboxes/placement/place.ts';
import { idempotencyKey } from '../http/idempotencyKey.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import type { Parts } from '../parts.ts';
import { asShortage, refuse, violationsOf } from '../sandboxes/admission.ts';
import { completed } from '../sandboxes/completed.ts';
import { checkQuota, isAskedAgain, valuesOf } from '../sandboxes/makeSandbox.ts';
import { policyRequest } from '../sandboxes/policyRequest.ts';
import { readCreate, type WantedSandbox } from '../sandboxes/readCreate.ts';
import { askMember } from './askMember.ts';
import type { Member } from './hostsFile.ts';
import type { Others } from './openOthers.ts';

type PoolParts = Parts & Pick<Others, 'pool' | 'askForHost'>;

/**
 * Create and list over several hosts; whatever else is asked of a sandbox is sent to where it is (`sendToMember`). A host that stands by gets
 * something only when no other has room, and then another machine is asked for.
 */
export function poolRoutes(parts: PoolParts, here: readonly Route[]): Route[] {
  const over = { POST: create, GET: list } as const;
  return here
    .filter(({ path }) => path === '/v1/sandboxes')
    .map((route) => ({
      ...route,
      handle: (call) => over[route.method as 'POST' | 'GET'](parts, route, call),
    }));
}

async function create(parts: PoolParts, here: Route, call: Call): Promise<Answer | undefined> {
  const { pool, sandboxes, policy, secrets } = parts;
  const owner = call.caller.name;
  const body = await call.body();
  // `here` reads it again, with all its checks.
  const stay = () => here.handle({ ...call, body: async () => body });
  if (body.dryRun === true) return await stay();
  const wanted = readCreate(body, idempotencyKey(call));
  refuse(violationsOf(parts, owner, policyRequest(wanted)));
  const rules = policy.rulesOf(owner);
  const request = completed(wanted, rules, { owner, from: undefined, secretEnv: {} });
  const asked = ofNew(request.resources);
  const key = wanted.idempotencyKey;
  const before = key === undefined ? undefined : pool.byKey(owner, key);
  if (before === undefined) checkQuota(sandboxes, owner, rules.resources.sandboxes, pool.count(owner));
  if (isAskedAgain(sandboxes, request)) return await stay();

  const values = Object.entries(valuesOf(secrets, owner, wanted.secrets));
  const sent = {
    ...body,
    idempotencyKey: key,
    secrets: [],
    secretEnv: Object.fromEntries(values.map(([name, value]) => [name, value.reveal()])),
  };
  const go = async (member: Member) => {
    const answer = await askMember(member, call, 'POST', '/v1/sandboxes', sent);
    const { id } = answer.body as { id?: unknown };
    if (typeof id === 'string' && answer.status === 201)
      pool.made(member, { id, owner, idempotencyKey: key }, asked);
    return answer;
  };
  if (before !== undefined) return await go(before);
  // Where the disk is that it begins with.
  const [source] = wanted.fromSnapshot?.split('@') ?? [];
  const origin = source === undefined ? undefined : await pool.find(source);
  if (source !== undefined) return await (origin === undefined ? stay() : go(origin));
  const avoid = [...wanted.hints.avoid];
  for (;;) {
    const placed = choose(parts, wanted, asked, avoid);
    if (placed.standby || placed.host === undefined) void parts.askForHost(asked, placed.why);
    if (placed.host === undefined) throw asShortage(new NoRoom(placed.why, placed.short));
    const member = pool.members.find(({ name }) => name === placed.host);
    if (member === undefined) return await stay();
    const answer = await go(member);
    // Somebody else was faster there.
    if (answer.status !== 503) return answer;
    avoid.push(member.name);
  }
}

function choose(
  parts: PoolParts,
  { hints }: WantedSandbox,
  asked: ReturnType<typeof ofNew>,
  avoid: readonly string[],
) {
  const local = parts.capacity.hosts();
  const usual = place([...local, ...parts.pool.views(false)], asked, { ...hints, avoid });
  if (usual.host !== undefined) return { ...usual, standby: false, short: [] };
  const all = place([...local, ...parts.pool.views(true)], asked, { ...hints, avoid });
  return all.host === undefined ? { ...all, standby: false } : { ...all, standby: true, short: [] };
}

async function list({ pool }: PoolParts, here: Route, call: Call): Promise<Answer> {
  const { query } = call;
  const own = new URLSearchParams(query);
  const [limit, offset] = [Number(query.get('limit') || 100), Number(query.get('offset') || 0)];
  own.set('limit', String(Math.min(1000, limit + offset)));
  own.set('offset', '0');
  const answers = await Promise.all([
    here.handle({ ...call, query: own }),
    // One that is not heard of has to be missing: its sandboxes are where nobody reaches them.
    ...pool.members.map((member) =>
      askMember(member, call, 'GET', `/v1/sandboxes?${own}`).catch(() => undefined),
    ),
  ]);
  type Listed = { readonly createdAt: string };
  const all = answers.flatMap(
    (answer) => (answer?.body as { sandboxes?: Listed[] } | undefined)?.sandboxes ?? [],
  );
  const page = all.sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(offset, offset + limit);
  return { body: { sandboxes: page } };
}
