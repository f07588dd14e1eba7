import { asRuntimeError } from '../../base/errors.ts';
import { createWakeups } from '../loop/wakeups.ts';
import type { Entry } from '../sources/source.ts';
import type { AttachedHost } from './attachedHost.ts';
import { BOX_PORT } from './boxTokens.ts';
import { type Change, giveUp } from './change.ts';
import { dialInside, runningOf } from './dialInside.ts';
import { nextDue } from './due.ts';
import { type Known, newKnown, noSandbox, viewOf } from './known.ts';
import type { SandboxRecord } from './record.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';
import type { SandboxesOptions } from './sandboxesOptions.ts';
import type { SandboxSource } from './sandboxSource.ts';
import { isAtRest } from './shared/isAtRest.ts';
import { createOwnership } from './shared/ownership.ts';
import { watchClaims } from './shared/watchClaims.ts';
import { givenUp, hinderedBy, isLive, statusOf } from './statusOf.ts';
import { watchReach } from './watchReach.ts';

export interface RosterOptions extends SandboxesOptions {
  /** Shared with whoever has opened them. */
  readonly records: Map<string, SandboxRecord>;
  readonly source: SandboxSource;
  readonly entryOf: (record: SandboxRecord) => Entry;
  readonly host: AttachedHost;
}

/** All sandboxes, gone ones included, as they are written down and seen. */
export interface Roster {
  add(record: SandboxRecord): Known;
  /** Throws `not-found`, also of one that is gone. */
  own(id: string): Known;
  find(id: string): Known | undefined;
  /** Without those that are gone. */
  all(): Known[];
  view(one: Known): Sandbox;
  /** Writes a change down, after those before it, and acts upon it. */
  change(one: Known, changed: Change): Promise<void>;
  /** The same, by nobody who waits for it. */
  background(one: Known, changed: Change): void;
  /** Looks at it again then, whatever is due. */
  wake(id: string, at: number): void;
  forget(id: string): Promise<void>;
  visit: Sandboxes['visit'];
  on: Sandboxes['changes'];
  /** Each that ran before this host did is known to run. */
  isSettled(): boolean;
}

/** How long what was looked up in the store stays in memory without being asked for. */
const VISIT_MS = 60_000;

/** `due`: called with a sandbox to which something has to happen by itself. */
export function createRoster(options: RosterOptions, due: (one: Known) => void): Roster {
  const { files, records, source, host, clock, log, signal } = options;
  const { api } = host;
  const known = new Map<string, Known>();
  const listeners = new Set<Parameters<Sandboxes['changes']>[0]>();
  const wakeups = createWakeups(options.timers, (id) => {
    const one = known.get(id);
    if (one !== undefined) due(one);
  });
  const reach = watchReach({
    isThere: async (id, looking) => {
      (await dialInside(host, own(id).record.id, BOX_PORT, looking)).destroy();
      return true;
    },
    clock,
    changed: look,
    signal,
  });
  signal.addEventListener('abort', api.changes(look), { once: true });
  signal.addEventListener('abort', () => wakeups.stop(), { once: true });

  const view = (one: Known) => viewOf(one, host.name);
  const isGone = ({ record }: Known) => record.wanted === 'gone';

  function own(id: string): Known {
    const one = known.get(id);
    if (one === undefined || isGone(one)) throw noSandbox(id);
    return one;
  }

  function arm(one: Known): void {
    const next = nextDue(one.record, one.lastActivityAt, options.keepDeletedMs);
    wakeups.cancel(one.record.id);
    if (next !== undefined) wakeups.at(one.record.id, next.at);
  }

  function tell(one: Known, what?: 'moved'): void {
    const sandbox = view(one);
    for (const listener of listeners) listener(sandbox, what);
  }

  async function keep(one: Known, record: SandboxRecord): Promise<void> {
    await files.put(record);
    one.record = record;
    records.set(record.id, record);
  }

  async function forget(one: Known): Promise<void> {
    const { id } = one.record;
    await files.remove(id);
    if (known.get(id) === one) known.delete(id);
    records.delete(id);
  }

  function leaveVisit(id: string): void {
    options.claims?.accept(id, undefined);
    known.delete(id);
  }

  const ownership = createOwnership({
    ...options,
    claims: options.claims,
    now: clock.now,
    find: (id) => known.get(id),
    isAtRest: (one) => isAtRest(one, api.bot(one.record.id), options.isSaved),
    keep,
    background,
    settle: async (one) => {
      await keep(one, one.record);
      one.visitedAt = undefined;
      known.set(one.record.id, one);
      if (!one.record.toFork) source.set(one.record.id, options.entryOf(one.record));
      arm(one);
    },
    leave: async (one) => {
      const { id } = one.record;
      options.claims?.accept(id, undefined);
      wakeups.cancel(id);
      reach.see(id, undefined);
      if (one.visitedAt !== undefined) return leaveVisit(id);
      // What may still run of it ends; what it had not saved lies in the trash for a week.
      source.set(id, undefined);
      await forget(one);
      log.info(`sandbox ${id} is another host's`);
      tell(one, 'moved');
    },
    add: (one) => void known.set(one.record.id, one),
  });

  function change(one: Known, changed: Change): Promise<void> {
    one.turn = one.turn
      .catch(() => undefined)
      .then(async () => {
        // While this waited it was left to another host: what is written of it now would be a second one.
        if (one.visitedAt === undefined && known.get(one.record.id) !== one) throw noSandbox(one.record.id);
        const next = await ownership.next(one, changed);
        if (next === undefined) return;
        await keep(one, next);
        if (next.wanted === 'running') one.isSaved = false;
        ownership.changed(next);
        source.set(next.id, next.wanted === 'gone' || next.toFork ? undefined : options.entryOf(next));
        arm(one);
        if (isGone(one)) reach.see(next.id, undefined);
        if (!look(next.id)) tell(one);
      });
    return one.turn;
  }

  function background(one: Known, changed: Change): void {
    change(one, changed).catch((error: unknown) =>
      log.error(`sandbox ${one.record.id}: ${asRuntimeError(error).message}`),
    );
  }

  /** What it is now; true when that is another thing than before, and has been told. */
  function look(id: string): boolean {
    const one = known.get(id);
    if (one === undefined || isGone(one)) return false;
    const bot = api.bot(id);
    const instance = bot && runningOf(bot.instances);
    reach.see(id, instance?.id);
    const why = givenUp(one.record, bot);
    if (why !== undefined) background(one, giveUp(why));
    const status = statusOf({ record: one.record, bot, isReached: reach.has(id) });
    one.isSeen ||= status !== undefined;
    one.hindered = one.record.wanted === 'running' && status !== 'running' ? hinderedBy(bot) : undefined;
    ownership.release(one);
    const startedAt = instance?.startedAt ?? one.startedAt;
    if ((status ?? one.status) === one.status && startedAt === one.startedAt) return false;
    one.status = status ?? one.status;
    one.startedAt = startedAt;
    tell(one);
    if (one.status === 'running' && one.record.startedAt === undefined)
      background(one, (record) => (record.startedAt === undefined ? { startedAt } : undefined));
    return true;
  }

  function add(record: SandboxRecord): Known {
    const one = newKnown(record, clock.now());
    records.set(record.id, record);
    known.set(record.id, one);
    if (!isGone(one) && !record.toFork) source.set(record.id, options.entryOf(record));
    arm(one);
    ownership.changed(record);
    if (!look(record.id)) tell(one);
    return one;
  }

  // As they were found: the source has them already.
  for (const record of records.values()) {
    const one = newKnown(record, clock.now());
    known.set(record.id, one);
    arm(one);
    if (record.held === undefined) ownership.changed(record);
    look(record.id);
  }
  const all = () => [...known.values()].filter((one) => !isGone(one) && one.visitedAt === undefined);
  if (options.claims !== undefined)
    void watchClaims({
      ...options,
      claims: options.claims,
      ids: () => [...records.values()].filter(({ held }) => held !== undefined).map(({ id }) => id),
      looked: () => {
        for (const [id, one] of known)
          if (one.visitedAt === undefined) look(id);
          else if (clock.now() - one.visitedAt > VISIT_MS) leaveVisit(id);
      },
    });

  return {
    add,
    own,
    find: (id) => known.get(id),
    all,
    view,
    change,
    background,
    wake: wakeups.at,
    forget: async (id) => {
      const one = known.get(id);
      await options.claims?.drop(id);
      if (one !== undefined) await forget(one);
    },
    visit: ownership.visit,
    on: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    isSettled: () =>
      all().every(({ record, isSeen }) => {
        const mayRun = record.wanted === 'running' && isLive(api.bot(record.id));
        return isSeen && (!mayRun || reach.has(record.id));
      }),
  };
}
