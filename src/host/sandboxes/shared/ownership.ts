import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Change } from '../change.ts';
import { expiresAt } from '../due.ts';
import { type Known, newKnown } from '../known.ts';
import type { SandboxRecord } from '../record.ts';
import type { Visited } from '../sandboxes.ts';
import type { Claims } from './createClaims.ts';
import { lost } from './settleRecords.ts';
import type { SharedRecord } from './sharedRecords.ts';
import { whoseIs } from './whoseIs.ts';

export interface OwnershipOptions {
  readonly claims: Claims | undefined;
  readonly find: (id: string) => Known | undefined;
  /** Nothing of it runs, the engine says so, and all that it had written is in the store. */
  readonly isAtRest: (one: Known) => boolean;
  /** Writes a record down as it is. */
  readonly keep: (one: Known, record: SandboxRecord) => Promise<void>;
  readonly background: (one: Known, changed: Change) => void;
  /** Makes one that was only looked up a thing of this host, as it is. */
  readonly settle: (one: Known) => Promise<void>;
  /** Forgets it here: another host has it. */
  readonly leave: (one: Known) => Promise<void>;
  readonly add: (one: Known) => void;
  readonly now: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What of the sandboxes is this host's. Where hosts do not share their store everything is, and none of this does anything. */
export interface Ownership {
  /** What it becomes by this change; one that is nobody's is this host's by then. Throws `conflict` where another host has it. */
  next(one: Known, changed: Change): Promise<SandboxRecord | undefined>;
  /** Written down: others are told. */
  changed(record: SandboxRecord): void;
  /** Gives one back that is at rest. */
  release(one: Known): void;
  visit(id: string, takeFrom: string | undefined): Promise<Visited>;
}

export function createOwnership(options: OwnershipOptions): Ownership {
  const { claims, find, isAtRest, keep, log, signal } = options;
  const releasing = new Set<string>();
  /** Nobody's here, and in the store perhaps not yet. */
  const untold = new Set<string>();
  const visits = new Map<string, Promise<Visited>>();
  claims?.listen({
    told: (id) =>
      inTurn(id, async (one) => {
        if (one.record.held !== undefined) return;
        await keep(one, { ...one.record, held: true });
        ownership.release(one);
      }),
    surprised: (id, found) => surprised(id, found),
  });

  async function leave(one: Known): Promise<void> {
    untold.delete(one.record.id);
    await options.leave(one);
  }

  function inTurn(id: string, work: (one: Known) => Promise<void>): void {
    const one = find(id);
    if (one === undefined || one.visitedAt !== undefined) return;
    // It may be left meanwhile.
    one.turn = one.turn.catch(() => undefined).then(() => (find(id) === one ? work(one) : undefined));
    one.turn.catch((error: unknown) => {
      if (!signal.aborted) log.error(`sandbox ${id}: ${asRuntimeError(error).message}`);
    });
  }

  function surprised(id: string, found: SharedRecord | undefined): void {
    const one = find(id);
    if (one === undefined || one.visitedAt !== undefined) return;
    if (whoseIs(one.record, found, claims?.host) === 'lost') {
      claims?.accept(id, undefined);
      options.background(one, lost);
      return;
    }
    inTurn(id, async () => {
      const { held, moves } = one.record;
      const whose = whoseIs(one.record, found, claims?.host);
      if (found === undefined || whose === 'anothers') return await leave(one);
      // Another host has taken it, and given it back: it is no more this host's than any other's, and not as it was here.
      if (held && whose === 'nobodys' && found.open().moves > moves) return await leave(one);
      claims?.accept(id, found.tag);
      if (held !== false) claims?.note(one.record);
      // Taken by a call whose answer was lost: it is at rest, and is given back.
      else if (whose === 'ours') await keep(one, { ...one.record, held: true });
      else await keep(one, { ...found.open(), held: false });
    });
  }

  async function next(one: Known, changed: Change): Promise<SandboxRecord | undefined> {
    for (;;) {
      const { record } = one;
      const difference = changed(record);
      if (difference === undefined) return undefined;
      const after = { ...record, ...difference };
      if (claims === undefined || record.held !== false) return after;
      // On this host's disk first: what the store says it has, and it does not know of, nobody would have.
      if (one.visitedAt !== undefined) await options.settle(one);
      const taken = { ...after, held: true, moves: record.moves + 1 };
      const found = await claims.take(taken);
      untold.delete(record.id);
      if (found === 'taken') return taken;
      if (found === undefined || found.holder !== undefined) {
        await leave(one);
        throw found?.holder === undefined ? gone(record.id) : hasIt(record.id, found.holder);
      }
      // Another host has had it meanwhile.
      claims.accept(record.id, found.tag);
      await keep(one, { ...found.open(), held: false });
    }
  }

  /** Here it is nobody's first: where the store's answer is lost, it may be in the store as well. */
  async function giveBack(one: Known): Promise<void> {
    const { id } = one.record;
    try {
      if (!isAtRest(one) || !isToGive(one)) return;
      untold.add(id);
      await keep(one, { ...one.record, held: false, lastActivityAt: one.lastActivityAt });
      await claims?.release(one.record);
      untold.delete(id);
    } catch (error) {
      if (!signal.aborted)
        log.warn(`sandbox ${id} cannot be given back yet: ${asRuntimeError(error).message}`);
    } finally {
      releasing.delete(id);
    }
  }

  /** What the store has never been told of is not given back before it has: nobody would have it. */
  const isToGive = ({ record }: Known) => record.held === true || untold.has(record.id);

  const ownership: Ownership = {
    next,
    changed: (record) => {
      if (record.held !== false) claims?.note(record);
    },
    release: (one) => {
      const { id } = one.record;
      if (claims === undefined || !isToGive(one) || releasing.has(id) || !isAtRest(one)) return;
      releasing.add(id);
      inTurn(id, giveBack);
    },
    visit: async (id, takeFrom) => {
      const before = find(id);
      if (before === undefined)
        return await alone(`${id} ${takeFrom ?? ''}`, () => visit(id, undefined, takeFrom));
      if (before.visitedAt === undefined) return before.record.wanted === 'gone' ? 'nowhere' : 'here';
      // After whatever is being done to it: it may just be taken.
      const visited = before.turn.catch(() => undefined).then(() => visit(id, before, takeFrom));
      before.turn = visited.then(() => undefined);
      return await visited;
    },
  };
  return ownership;

  async function alone(key: string, work: () => Promise<Visited>): Promise<Visited> {
    const visiting = visits.get(key) ?? work().finally(() => visits.delete(key));
    visits.set(key, visiting);
    return await visiting;
  }

  async function visit(
    id: string,
    before: Known | undefined,
    takeFrom: string | undefined,
  ): Promise<Visited> {
    if (claims === undefined) return 'nowhere';
    if (before !== undefined && before.visitedAt === undefined) return 'here';
    const found = await claims.find(id);
    // Another visit was faster, and something may be done to it already.
    if (before === undefined && find(id) !== undefined) return await ownership.visit(id, takeFrom);
    const record = found?.open();
    const isTaken = found?.holder !== undefined && found.holder === takeFrom;
    const isAnothers = found?.holder !== undefined && !isTaken;
    if (found === undefined || record === undefined || isAnothers || record.wanted === 'gone') {
      if (before !== undefined) await leave(before);
      const isThere = isAnothers && record !== undefined && record.wanted !== 'gone';
      return isThere ? { host: found.holder, owner: record.owner } : 'nowhere';
    }
    claims.accept(id, found.tag);
    const now = options.now();
    const seen = newKnown(seenFrom(record, isTaken, now), now);
    options.add(Object.assign(before ?? seen, { record: seen.record, status: seen.status, visitedAt: now }));
    return 'here';
  }
}

/** As it stands in the store: nobody has it, and what was over is over. */
function seenFrom(record: SandboxRecord, isTaken: boolean, now: number): SandboxRecord {
  const ends = expiresAt(record);
  return {
    ...record,
    held: false,
    ...(isTaken && record.wanted === 'running' ? { wanted: 'stopped', cause: 'host-lost' } : {}),
    ...(ends !== undefined && ends <= now ? { cause: 'lifetime' } : {}),
  };
}

const gone = (id: string) =>
  new RuntimeError('not-found', `there is no sandbox ${id} any more`, { op: 'sandboxes.take', path: id });

const hasIt = (id: string, host: string) =>
  new RuntimeError('conflict', `host ${host} has sandbox ${id}`, { op: 'sandboxes.take', path: id });
