import { nothing } from '../../../host/sandboxes/placement/amounts.ts';
import { NoRoom, ofNew } from '../../../host/sandboxes/placement/capacity.ts';
import { place } from '../../../host/sandboxes/placement/place.ts';
import { errorAnswer } from '../http/errorAnswer.ts';
import { HttpError, notFound } from '../http/httpError.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import { asShortage } from '../sandboxes/admission.ts';
import { takeFromOf, visitOwn } from '../sandboxes/visitOwn.ts';
import { askMember } from './askMember.ts';
import type { Member } from './hostsFile.ts';
import type { PoolParts } from './poolParts.ts';

/** This server itself, or another one. */
type Target = Member | 'here';

/** It does not answer, or has no room: another one may. */
const isBusy = ({ status }: Answer) => status === 502 || status === 503;
/** It is not where it was thought to be. */
const isElsewhere = ({ status }: Answer) => status === 404 || status === 409 || status === 421;
/** That host's own rules. */
const isRefused = ({ status }: Answer) => status === 403 || status === 429;

/**
 * On its own host, if that can; else on the least loaded of those that have the same store, and only then on one that stands by. Of several
 * servers that do so at once one gets it: the store decides.
 */
export async function resumeOverPool(parts: PoolParts, here: Route, call: Call): Promise<Answer | undefined> {
  const { pool, sandboxes, capacity } = parts;
  const { caller } = call;
  const id = call.params.id ?? '';
  const body = await call.body();
  const takeFrom = takeFromOf(body, caller);
  const tried = new Set<string>();

  async function ask(target: Target): Promise<Answer> {
    if (target === 'here') {
      for (const { name } of capacity.hosts()) tried.add(name);
      const answer = await here.handle({ ...call, body: async () => body }).catch(errorAnswer);
      return answer ?? { body: {} };
    }
    tried.add(target.name);
    const asItself = takeFrom !== undefined;
    const answer = await askMember(target, call, 'POST', call.target, body, asItself).catch(errorAnswer);
    if (answer.status === 200) pool.made(target, { id, owner: caller.name }, nothing);
    return answer;
  }

  /** Somebody else was faster: it is resumed there, or was. */
  async function follow(refused: Answer): Promise<Answer> {
    await pool.refresh();
    const other = sandboxes.find(id)?.isVisiting === false ? 'here' : await pool.find(id);
    const isNew = other !== undefined && (other === 'here' || !tried.has(other.name));
    return isNew ? await ask(other) : refused;
  }

  let last: Answer | undefined;
  const home = await homeOf(parts, id, takeFrom);
  if (home === 'here' || (home !== undefined && pool.isHeard(home) && !home.standby)) {
    last = await ask(home);
    if (isElsewhere(last)) return await follow(last);
    if (!isBusy(last)) return last;
  }

  const shared = await visitOwn(sandboxes, caller, id, takeFrom).catch((error: unknown) => {
    if (error instanceof HttpError && error.status === 404) return undefined;
    throw last === undefined ? error : withMore(last, error);
  });
  const amounts = shared === undefined ? nothing : ofNew(shared.resources);
  const leaving = home === 'here' || home === undefined || !home.standby ? [] : [home.name];
  let why = '';
  for (const standby of [false, true]) {
    for (;;) {
      const able = [...capacity.hosts(), ...pool.views(standby)].filter(({ sharesStore }) => sharesStore);
      const avoid = standby ? [...tried] : [...tried, ...leaving];
      const placed = place(able, amounts, { driver: undefined, among: [], avoid });
      why = placed.why;
      if (placed.host === undefined) break;
      const answer = await ask(pool.members.find(({ name }) => name === placed.host) ?? 'here');
      if (answer.status === 409 || answer.status === 421) return await follow(answer);
      const isNone = answer.status === 404;
      if (!isNone && !isBusy(answer) && !isRefused(answer)) return answer;
      // Where it is none, its store is another one after all.
      if (!isNone) last = answer;
    }
  }
  void parts.askForHost(amounts, why);
  if (home === undefined && shared === undefined)
    throw last === undefined ? notFound('sandbox', id) : withMore(last);
  const noOther = 'no other host that has the same store can resume it';
  if (shared !== undefined || home === 'here' || last !== undefined)
    throw withMore(last ?? errorAnswer(asShortage(new NoRoom(why, []))), new Error(noOther));
  throw new HttpError(
    503,
    'HOST_UNREACHABLE',
    `host ${home?.name} does not answer, and ${noOther}: hosts resume what another one has stopped only from a store that they share (MINIO_ENDPOINT), not from a folder`,
    { retryAfter: 30 },
    { 'retry-after': '30' },
  );
}

/** A refusal, with what else is to be said of it. */
function withMore({ status = 503, body, headers }: Answer, more?: unknown): HttpError {
  const { error: _error, message, code, ...extras } = body as Readonly<Record<string, unknown>>;
  const text = more instanceof Error ? `${String(message)}; ${more.message}` : String(message);
  return new HttpError(status, String(code), text, extras, headers);
}

async function homeOf(
  { sandboxes, pool }: PoolParts,
  id: string,
  takeFrom: string | undefined,
): Promise<Target | undefined> {
  if (takeFrom !== undefined) return undefined;
  return sandboxes.find(id)?.isVisiting === false ? 'here' : await pool.find(id);
}
