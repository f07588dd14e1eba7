import { NoRoom, ofNew } from '../../../host/sandboxes/placement/capacity.ts';
import { type Hints, place } from '../../../host/sandboxes/placement/place.ts';
import type { SandboxStatus } from '../../../host/sandboxes/sandboxes.ts';
import { idempotencyKey } from '../http/idempotencyKey.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import { asShortage } from '../sandboxes/admission.ts';
import { answerOf } from '../sandboxes/answerOf.ts';
import { isAskedAgain } from '../sandboxes/makeSandbox.ts';
import { readCreate } from '../sandboxes/readCreate.ts';
import { MOST_PAGE, readPage } from '../sandboxes/readPage.ts';
import { ENDED } from '../sandboxes/settled.ts';
import { visitOwn } from '../sandboxes/visitOwn.ts';
import { snapshotSource } from '../snapshots/snapshotSource.ts';
import { askMember } from './askMember.ts';
import type { Member } from './hostsFile.ts';
import { RESUME } from './locator.ts';
import type { PoolParts } from './poolParts.ts';
import { resumeOverPool } from './resumeOverPool.ts';

/**
 * Create, list and resume over several hosts; whatever else is asked of a sandbox is sent to where it is (`sendToMember`). A host that stands by gets
 * something only when no other has room, and then another machine is asked for.
 */
export function poolRoutes(parts: PoolParts, here: readonly Route[]): Route[] {
  const handlers: Readonly<Record<string, typeof create>> = {
    'POST /v1/sandboxes': create,
    'GET /v1/sandboxes': list,
    [`POST ${RESUME}`]: resumeOverPool,
  };
  return here.flatMap((route) => {
    const handle = handlers[`${route.method} ${route.path}`];
    if (handle === undefined) return [];
    const over = (call: Call) => (call.caller.isSentOn ? route.handle(call) : handle(parts, route, call));
    return [{ ...route, handle: over }];
  });
}

async function create(parts: PoolParts, here: Route, call: Call): Promise<Answer | undefined> {
  const { pool, sandboxes, maker } = parts;
  const owner = call.caller.name;
  const body = await call.body();
  if (body.dryRun === true) return await here.handle({ ...call, body: async () => body });
  const wanted = readCreate(body, idempotencyKey(call));
  const key = wanted.idempotencyKey;
  const before = key === undefined ? undefined : pool.byKey(owner, key);
  // Where the disk is that it begins with.
  const [source] = wanted.fromSnapshot?.split('@') ?? [];
  const origin = before ?? (source === undefined ? undefined : await pool.find(source));
  const from =
    source === undefined || origin !== undefined
      ? undefined
      : snapshotSource(parts, call.caller, wanted.fromSnapshot ?? '');
  const elsewhere = { count: pool.count(owner), hasIt: before !== undefined };
  const request = maker.admit(wanted, call.caller, from, elsewhere);
  const asked = ofNew(request.resources);
  const stay = async () => answerOf(parts.connect, call, await maker.put(request, wanted.hints), 201);
  if (isAskedAgain(sandboxes, request)) return await stay();

  const secretEnv = Object.fromEntries(
    Object.entries(request.secretEnv).map(([name, value]) => [name, value.reveal()]),
  );
  // Which host is decided here, by the names that it has here.
  const driver = { type: wanted.hints.driver };
  const sent = { ...body, driver, idempotencyKey: key, secrets: [], secretEnv };
  const go = async (member: Member) => {
    const answer = await askMember(member, call, { method: 'POST', path: '/v1/sandboxes', body: sent });
    const { id } = answer.body as { id?: unknown };
    if (typeof id === 'string' && answer.status === 201)
      pool.made(member, { id, owner, idempotencyKey: key }, asked);
    return answer;
  };
  if (origin !== undefined) return await go(origin);
  if (from !== undefined) return await stay();
  const avoid = [...wanted.hints.avoid];
  for (;;) {
    const placed = choose(parts, wanted.hints, asked, avoid);
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

function choose(parts: PoolParts, hints: Hints, asked: ReturnType<typeof ofNew>, avoid: readonly string[]) {
  const local = parts.capacity.hosts();
  const usual = place([...local, ...parts.pool.views(false)], asked, { ...hints, avoid });
  if (usual.host !== undefined) return { ...usual, standby: false, short: [] };
  const all = place([...local, ...parts.pool.views(true)], asked, { ...hints, avoid });
  return all.host === undefined ? { ...all, standby: false } : { ...all, standby: true, short: [] };
}

async function list(parts: PoolParts, here: Route, call: Call): Promise<Answer> {
  const { pool } = parts;
  const { statuses, limit, offset } = readPage(call.query);
  const enough = limit + offset;
  const lists = await Promise.all([
    upTo(enough, call, async (query) => await here.handle({ ...call, query })),
    leftBehind(parts, call, statuses),
    // What still belongs to one that is not heard of has to be missing: it is where nobody reaches it.
    ...pool.members.map((member) =>
      upTo(enough, call, (query) =>
        askMember(member, call, { method: 'GET', path: `/v1/sandboxes?${query}` }),
      ).catch(() => []),
    ),
  ]);
  // Two may have one for a while after it has moved: the one where it runs has it.
  const all = new Map<string, Listed>();
  for (const one of lists.flat().sort((a, b) => Number(hasEnded(b)) - Number(hasEnded(a))))
    all.set(one.id, one);
  const sorted = [...all.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return { body: { sandboxes: sorted.slice(offset, enough) } };
}

/** Those that hosts which are not heard of had given back. */
async function leftBehind(
  { pool, sandboxes, connect }: PoolParts,
  call: Call,
  statuses: readonly SandboxStatus[],
): Promise<readonly Listed[]> {
  const found = await Promise.all(
    pool.left(call.caller.name).map((id) => visitOwn(sandboxes, call.caller, id).catch(() => undefined)),
  );
  return found.flatMap((one) => {
    const isLeft = one?.isVisiting && (statuses.length === 0 || statuses.includes(one.status));
    return isLeft ? [answerOf(connect, call, one).body as Listed] : [];
  });
}

const hasEnded = ({ status }: Listed) => ENDED.includes(status);

interface Listed {
  readonly id: string;
  readonly status: SandboxStatus;
  readonly createdAt: string;
}

/** The newest of one host, page by page. */
async function upTo(
  count: number,
  { query }: Call,
  ask: (query: URLSearchParams) => Promise<Answer | undefined>,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (;;) {
    const own = new URLSearchParams(query);
    own.set('limit', String(Math.min(MOST_PAGE, count - found.length)));
    own.set('offset', String(found.length));
    const answer = await ask(own);
    const { sandboxes = [] } = (answer?.body ?? {}) as { sandboxes?: readonly Listed[] };
    found.push(...sandboxes);
    if (sandboxes.length < MOST_PAGE || found.length >= count) return found;
  }
}
