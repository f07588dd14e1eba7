import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { whyFetchFailed } from '../../../base/whyFetchFailed.ts';
import { type Amounts, nothing, sum } from '../../../host/sandboxes/placement/amounts.ts';
import type { HostView } from '../../../host/sandboxes/placement/place.ts';
import { type Heartbeat, readHeartbeat } from './heartbeat.ts';
import type { Member } from './hostsFile.ts';

/**
 * The room of other machines: `hostsFile` names them, `pool` asks each how it stands, `poolRoutes` places on them, `sendToMember` sends on what
 * is asked of a sandbox there, and `askForHost` asks for another machine when all are full. Each runs its own sandboxes by itself; what
 * is lost with the server that sends is only the way to them.
 */

const EVERY_MS = 5_000;
/** One that has not been heard of for longer gets nothing new. */
const LEASE_MS = 15_000;
const PATIENCE_MS = 5_000;
const BRIEF_MS = 3_000;
const MOST_BYTES = 16 * 2 ** 20;

export interface Pool {
  readonly members: readonly Member[];
  /** As they were last heard of; those that stand by only with `standby`, or while something is on them. */
  views(standby: boolean): readonly HostView[];
  /** It has been heard of lately. */
  isHeard(member: Member): boolean;
  /** It has not missed a beat; else it is asked whether it answers. */
  isThere(member: Member): Promise<boolean>;
  /** It answers now: who is to wait for what takes long asks that first. */
  answers(member: Member): Promise<boolean>;
  /** Asks all how they stand, now. */
  refresh(): Promise<void>;
  /** What a host that is not heard of had told of this owner's. */
  left(owner: string): readonly string[];
  /** What a host that goes by this name here calls itself; undefined: it has not been heard of, or there is none. */
  idOf(name: string): string | undefined;
  /** Which has told of this sandbox. */
  known(id: string): Member | undefined;
  /** As `known`; an id that nobody has told of is asked for. */
  find(id: string): Promise<Member | undefined>;
  /** Which has one that was made by this key of this owner. */
  byKey(owner: string, idempotencyKey: string): Member | undefined;
  count(owner: string): number;
  /** It was just made there. */
  made(member: Member, sandbox: Omit<Heartbeat['sandboxes'][number], 'moves'>, amounts: Amounts): void;
  run(signal: AbortSignal): Promise<void>;
}

interface Known {
  readonly at: number;
  readonly beat: Heartbeat;
}

export function createPool(members: readonly Member[], clock: Clock, log: Logger): Pool {
  const known = new Map<string, Known>();
  /** Told of, so that they are told of once. */
  const away = new Set<string>();
  let lastSearch = Number.NEGATIVE_INFINITY;

  async function hear(member: Member, signal: AbortSignal): Promise<boolean> {
    try {
      const response = await fetch(`${member.url}/v1/hosts/self`, {
        headers: { authorization: `Bearer ${member.key.reveal()}` },
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
      const text = await textOf(response);
      if (response.status !== 200) throw new Error(`it answers ${response.status}`);
      const beat = readHeartbeat(JSON.parse(text));
      const isNews = away.delete(member.name) || !known.has(member.name);
      if (isNews) log.info('a host of sandboxes answers', { host: member.name });
      known.set(member.name, { at: clock.now(), beat });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (isHeard(member) || away.has(member.name)) return false;
      away.add(member.name);
      log.warn('a host of sandboxes is not heard of', { host: member.name, error: whyFetchFailed(error) });
      return false;
    }
  }

  const hearAll = (signal: AbortSignal) => Promise.all(members.map((member) => hear(member, signal)));
  const isHeard = ({ name }: Member) => {
    const seen = known.get(name);
    return seen !== undefined && clock.now() - seen.at <= LEASE_MS;
  };
  const toldOf = (id: string) =>
    members.flatMap((member) => {
      const one = sandboxesOf(member.name).find((each) => each.id === id);
      return one === undefined ? [] : [{ member, one }];
    });
  /** Two may tell of one for a while after it has moved: the one that took it last has it. */
  const has = (id: string) =>
    toldOf(id).sort(
      (a, b) => b.one.moves - a.one.moves || Number(isHeard(b.member)) - Number(isHeard(a.member)),
    )[0]?.member;
  const sandboxesOf = (name: string) => known.get(name)?.beat.sandboxes ?? [];

  return {
    members,
    views: (standby) =>
      members
        .filter((member) => standby || !member.standby || sandboxesOf(member.name).length > 0)
        .map(({ name }): HostView => {
          const seen = known.get(name);
          if (seen === undefined)
            return {
              name,
              id: undefined,
              driver: 'host-agent',
              unfit: 'it has not been heard of',
              total: nothing,
              used: nothing,
            };
          const age = clock.now() - seen.at;
          const silent =
            age > LEASE_MS ? `it has not been heard of for ${Math.round(age / 1000)} s` : undefined;
          const { name: id, driver, unfit, total, used } = seen.beat.host;
          const { sharesStore } = seen.beat;
          return { name, id, driver, unfit: silent ?? unfit, total, used, sharesStore };
        }),
    isHeard,
    isThere: async (member) => {
      const seen = known.get(member.name);
      const hasMissed = seen === undefined || clock.now() - seen.at > EVERY_MS + BRIEF_MS;
      return !hasMissed || (await hear(member, AbortSignal.timeout(BRIEF_MS)));
    },
    answers: (member) => hear(member, AbortSignal.timeout(BRIEF_MS)),
    refresh: async () => void (await hearAll(AbortSignal.timeout(PATIENCE_MS))),
    left: (owner) =>
      members
        .filter((member) => !isHeard(member))
        .flatMap(({ name }) => sandboxesOf(name))
        .filter((one) => one.owner === owner)
        .map(({ id }) => id),
    idOf: (name) => known.get(name)?.beat.host.name,
    known: has,
    find: async (id) => {
      const found = has(id);
      if (found !== undefined || members.length === 0) return found;
      // Once a second at most, whoever asks for what.
      if (clock.now() - lastSearch < 1000) return undefined;
      lastSearch = clock.now();
      await hearAll(AbortSignal.timeout(PATIENCE_MS));
      return has(id);
    },
    byKey: (owner, key) =>
      members.find(({ name }) =>
        sandboxesOf(name).some((one) => one.owner === owner && one.idempotencyKey === key),
      ),
    count: (owner) => {
      const all = members.flatMap(({ name }) => sandboxesOf(name)).filter((one) => one.owner === owner);
      return new Set(all.map(({ id }) => id)).size;
    },
    made: ({ name }, sandbox, amounts) => {
      const seen = known.get(name);
      if (seen === undefined) return;
      const { host, sandboxes } = seen.beat;
      const used = sum([host.used, amounts]);
      const others = sandboxes.filter(({ id }) => id !== sandbox.id);
      const moves = Math.max(-1, ...toldOf(sandbox.id).map(({ one }) => one.moves)) + 1;
      const all = [...others, { ...sandbox, moves }];
      const beat = { ...seen.beat, host: { ...host, used }, sandboxes: all };
      known.set(name, { ...seen, beat });
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await hearAll(signal);
        await clock.sleep(EVERY_MS, signal).catch(() => undefined);
      }
    },
  };
}

async function textOf(response: Response): Promise<string> {
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.length > MOST_BYTES) throw new Error('an answer that is too long');
  }
  return text;
}
