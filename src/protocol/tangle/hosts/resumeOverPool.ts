import { nothing } from '../../../host/sandboxes/placement/amounts.ts';
import { anywhere, NoRoom, ofNew } from '../../../host/sandboxes/placement/capacity.ts';
import { place } from '../../../host/sandboxes/placement/place.ts';
import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import { errorAnswer, isDefect } from '../http/errorAnswer.ts';
import { HttpError, notFound, refusedFor } from '../http/httpError.ts';
import type { Answer, Call, Route } from '../http/route.ts';
import { asShortage } from '../sandboxes/admission.ts';
import { hasOwn, takeFromOf, visitOwn } from '../sandboxes/visitOwn.ts';
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
  const said = await call.body();
  const takeFrom = takeFromOf(said, caller, pool);
  // Others know it by another name.
  const body = takeFrom === undefined ? said : { ...said, takeFrom };
  const tried = new Set<string>();

  async function ask(target: Target): Promise<Answer> {
    if (target === 'here') {
      for (const { name } of capacity.hosts()) tried.add(name);
      const answer = await here.handle({ ...call, body: async () => body }).catch((error: unknown) => {
        if (isDefect(error)) throw error;
        return errorAnswer(error);
      });
      return answer ?? { body: {} };
    }
    tried.add(target.name);
    // A client waits 30 s: not all of that for one that hangs.
    if (!(await pool.answers(target))) return errorAnswer(silent(target, 502));
    const asItself = takeFrom !== undefined;
    const asked = { method: 'POST', path: call.target, body, asItself } as const;
    const answer = await askMember(target, call, asked).catch(errorAnswer);
    if (answer.status === 200) pool.made(target, { id, owner: caller.name }, nothing);
    return answer;
  }

  /** Somebody else was faster: it is resumed there, or was. */
  async function follow(refused: Answer): Promise<Answer> {
    // It is this server's, and refused by what it is.
    if (hasOwn(sandboxes, id)) return refused;
    await pool.refresh();
    const other = await pool.find(id);
    return other !== undefined && !tried.has(other.name) ? await ask(other) : refused;
  }

  let last: Answer | undefined;
  const home = await homeOf(parts, id, takeFrom);
  if (home === 'here' || (home !== undefined && pool.isHeard(home) && !home.standby)) {
    last = await ask(home);
    if (isElsewhere(last)) return await follow(last);
    if (!isBusy(last)) return last;
  }

  let shared: Sandbox | undefined;
  try {
    shared = await visitOwn(sandboxes, caller, id, takeFrom);
  } catch (error) {
    const refused = errorAnswer(error);
    // Another server may just have resumed it.
    const followed = refused.status === 421 ? await follow(refused) : refused;
    if (followed !== refused) return followed;
    if (refused.status !== 404) throw last === undefined ? error : withMore(last, error);
  }
  // Whoever has the same store as the others has looked for all of them.
  if (shared === undefined && home === undefined && sandboxes.sharesStore) throw notFound('sandbox', id);
  const amounts = shared === undefined ? nothing : ofNew(shared.resources);
  const leaving = home === 'here' || home === undefined || !home.standby ? [] : [home.name];
  let why = '';
  for (const standby of [false, true]) {
    for (;;) {
      const able = [...capacity.hosts(), ...pool.views(standby)].filter(({ sharesStore }) => sharesStore);
      const avoid = standby ? [...tried] : [...tried, ...leaving];
      const placed = place(able, amounts, { ...anywhere, avoid });
      why = placed.why;
      if (placed.host === undefined) break;
      const answer = await ask(pool.members.find(({ name }) => name === placed.host) ?? 'here');
      if (answer.status === 409 || answer.status === 421) return await follow(answer);
      if (!isBusy(answer) && !isRefused(answer) && answer.status !== 404) return answer;
      // Where there is none, its store is another one after all.
      if (answer.status !== 404) last = answer;
    }
  }
  if (home === undefined && shared === undefined)
    throw last === undefined ? notFound('sandbox', id) : withMore(last);
  void parts.askForHost(amounts, why);
  const refusal =
    last ??
    errorAnswer(home === undefined || home === 'here' ? asShortage(new NoRoom(why, [])) : silent(home, 503));
  throw withMore(
    refusal,
    new Error(shared === undefined ? NOT_SHARED : `no other host can resume it: ${why}`),
  );
}

const NOT_SHARED =
  'hosts resume what another one has stopped only from a store that they share (MINIO_ENDPOINT), not from a folder of one';

const silent = ({ name }: Member, status: 502 | 503) =>
  refusedFor(30, status, 'HOST_UNREACHABLE', `host ${name} does not answer`);

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
  return hasOwn(sandboxes, id) ? 'here' : await pool.find(id);
}
