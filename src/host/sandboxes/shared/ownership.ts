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

export interface OwnershipOptions {
  readonly claims: Claims | undefined;
  readonly find: (id: string) => Known | undefined;
  /** Nothing of it runs, the engine says so, and all that it had written is in the store. */
  readonly isAtRest: (one: Known) => boolean;
  /** Writes a record down as it is. */
  readonly keep: (one: Known, record: SandboxRecord) => Promise<void>;
  readonly background: (one: Known, changed: Change) => void;
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
  const visits = new Map<string, Promise<Visited>>();
  claims?.listen({
    told: (id) =>
      inTurn(id, async (one) => {
        if (one.record.held === undefined) await keep(one, { ...one.record, held: true });
      }),
    surprised: (id, found) => surprised(id, found),
  });

  function inTurn(id: string, work: (one: Known) => Promise<void>): void {
    const one = find(id);
    if (one === undefined || one.visitedAt !== undefined) return;
    one.turn = one.turn.catch(() => undefined).then(() => work(one));
    one.turn.catch((error: unknown) => {
      if (!signal.aborted) log.error(`sandbox ${id}: ${asRuntimeError(error).message}`);
    });
  }

  function surprised(id: string, found: SharedRecord | undefined): void {
    const one = find(id);
    if (one === undefined || one.visitedAt !== undefined) return;
    if (found === undefined && one.record.held) {
      claims?.accept(id, undefined);
      options.background(one, lost);
      return;
    }
    inTurn(id, async () => {
      const { held } = one.record;
      if (found === undefined || (found.holder !== undefined && found.holder !== claims?.host))
        return await options.leave(one);
      claims?.accept(id, found.tag);
      if (held !== false) claims?.note(one.record);
      // Taken by a call whose answer was lost: it is at rest, and is given back.
      else if (found.holder !== undefined) await keep(one, { ...one.record, held: true });
      else await keep(one, { ...found.open(), held: false });
    });
  }

  async function next(one: Known, changed: Change): Promise<SandboxRecord | undefined> {
    for (;;) {
      const { record, visitedAt } = one;
      const isVisiting = visitedAt !== undefined;
      const difference = changed(record);
      if (difference === undefined) return undefined;
      const after = { ...record, ...difference };
      if (claims === undefined || record.held !== false) return after;
      const taken = { ...after, held: true, moves: record.moves + (isVisiting ? 1 : 0) };
      const found = await claims.take(taken);
      if (found === 'taken') return taken;
      if (found === undefined || found.holder !== undefined) {
        await options.leave(one);
        throw found?.holder === undefined ? gone(record.id) : hasIt(record.id, found.holder);
      }
      // Another host has had it meanwhile.
      const newer = { ...found.open(), held: false };
      claims.accept(record.id, found.tag);
      if (isVisiting) one.record = newer;
      else await keep(one, newer);
    }
  }

  async function giveBack(one: Known): Promise<void> {
    const { id } = one.record;
    try {
      if (!isAtRest(one) || one.record.held === false) return;
      const free = { ...one.record, held: false, lastActivityAt: one.lastActivityAt };
      if (await claims?.release(free)) await keep(one, free);
    } catch (error) {
      if (!signal.aborted)
        log.warn(`sandbox ${id} cannot be given back yet: ${asRuntimeError(error).message}`);
    } finally {
      releasing.delete(id);
    }
  }

  return {
    next,
    changed: (record) => {
      if (record.held !== false) claims?.note(record);
    },
    release: (one) => {
      const { id, held } = one.record;
      if (claims === undefined || held === false || releasing.has(id) || !isAtRest(one)) return;
      releasing.add(id);
      inTurn(id, giveBack);
    },
    visit: async (id, takeFrom) => {
      const before = find(id);
      if (before === undefined) return await alone(id, () => visit(id, undefined, takeFrom));
      if (before.visitedAt === undefined) return before.record.wanted === 'gone' ? 'nowhere' : 'here';
      // After whatever is being done to it: it may just be taken.
      const visited = before.turn.catch(() => undefined).then(() => visit(id, before, takeFrom));
      before.turn = visited.then(() => undefined);
      return await visited;
    },
  };

  async function alone(id: string, work: () => Promise<Visited>): Promise<Visited> {
    const visiting = visits.get(id) ?? work().finally(() => visits.delete(id));
    visits.set(id, visiting);
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
    const record = found?.open();
    const isTaken = found?.holder !== undefined && found.holder === takeFrom;
    const isAnothers = found?.holder !== undefined && !isTaken;
    if (found === undefined || record === undefined || isAnothers || record.wanted === 'gone') {
      if (before !== undefined) await options.leave(before);
      return isAnothers && record !== undefined ? { host: found.holder, owner: record.owner } : 'nowhere';
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
