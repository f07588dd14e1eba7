import type { Duplex } from 'node:stream';
import { asRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { Engine, Instance } from '../engine/engine.ts';
import { createWakeups } from '../loop/wakeups.ts';
import type { Entry } from '../sources/source.ts';
import { BOX_PORT } from './boxTokens.ts';
import { nextDue } from './due.ts';
import { type Known, newKnown, viewOf } from './known.ts';
import type { RecordFiles } from './openRecordFiles.ts';
import type { SandboxRecord } from './record.ts';
import type { Sandbox } from './sandboxes.ts';
import type { SandboxesOptions } from './sandboxesOptions.ts';
import type { SandboxSource } from './sandboxSource.ts';
import { givenUp, isLive, statusOf } from './statusOf.ts';
import { watchReach } from './watchReach.ts';

export interface AttachedHost {
  readonly api: HostApi;
  /** Its name, for clients. */
  readonly name: string;
  readonly dial: (address: string, port: number, signal: AbortSignal) => Promise<Duplex>;
  readonly engine: Pick<Engine, 'wake'>;
}

export interface RosterOptions extends SandboxesOptions {
  readonly files: RecordFiles;
  /** Shared with whoever has opened them. */
  readonly records: Map<string, SandboxRecord>;
  readonly source: SandboxSource;
  readonly entryOf: (record: SandboxRecord) => Entry;
  readonly host: AttachedHost;
}

/** What changes in a record; undefined: nothing. Throws why it may not. */
export type Change = (record: SandboxRecord) => Partial<SandboxRecord> | undefined;

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
  dial(id: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Looks at it again then, whatever is due. */
  wake(id: string, at: number): void;
  forget(id: string): Promise<void>;
  on(listener: (sandbox: Sandbox) => void): () => void;
  /** Each that ran before this host did is known to run. */
  isSettled(): boolean;
}

/** `due`: called with a sandbox to which something has to happen by itself. */
export function createRoster(options: RosterOptions, due: (one: Known) => void): Roster {
  const { files, records, source, host, clock, log, signal } = options;
  const { api } = host;
  const known = new Map<string, Known>();
  const listeners = new Set<(sandbox: Sandbox) => void>();
  const wakeups = createWakeups(options.timers, (id) => {
    const one = known.get(id);
    if (one !== undefined) due(one);
  });
  const reach = watchReach({
    isThere: async (id, looking) => {
      (await dial(id, BOX_PORT, looking)).destroy();
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
    if (one === undefined || isGone(one))
      throw new RuntimeError('not-found', `no sandbox ${id}`, { op: 'sandboxes.find', path: id });
    return one;
  }

  function arm(one: Known): void {
    const next = nextDue(one.record, one.lastActivityAt, options.keepDeletedMs);
    wakeups.cancel(one.record.id);
    if (next !== undefined) wakeups.at(one.record.id, next.at);
  }

  function tell(one: Known): void {
    const sandbox = view(one);
    for (const listener of listeners) listener(sandbox);
  }

  function change(one: Known, changed: Change): Promise<void> {
    one.turn = one.turn
      .catch(() => undefined)
      .then(async () => {
        const difference = changed(one.record);
        if (difference === undefined) return;
        const next = { ...one.record, ...difference };
        await files.put(next);
        one.record = next;
        records.set(next.id, next);
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
    const startedAt = instance?.startedAt ?? one.startedAt;
    if ((status ?? one.status) === one.status && startedAt === one.startedAt) return false;
    one.status = status ?? one.status;
    one.startedAt = startedAt;
    tell(one);
    if (one.status === 'running' && one.record.startedAt === undefined)
      background(one, (record) => (record.startedAt === undefined ? { startedAt } : undefined));
    return true;
  }

  async function dial(id: string, port: number, dialing: AbortSignal): Promise<Duplex> {
    const address = runningOf(api.bot(own(id).record.id)?.instances ?? [])?.address;
    if (address !== undefined) return await host.dial(address, port, dialing);
    throw new RuntimeError('conflict', `sandbox ${id} does not run`, { op: 'sandboxes.dial' });
  }

  function add(record: SandboxRecord): Known {
    const one = newKnown(record, clock.now());
    records.set(record.id, record);
    known.set(record.id, one);
    if (!isGone(one) && !record.toFork) source.set(record.id, options.entryOf(record));
    arm(one);
    if (!look(record.id)) tell(one);
    return one;
  }

  // As they were found: the source has them already.
  for (const record of records.values()) {
    const one = newKnown(record, clock.now());
    known.set(record.id, one);
    arm(one);
    look(record.id);
  }
  const all = () => [...known.values()].filter((one) => !isGone(one));

  return {
    add,
    own,
    find: (id) => known.get(id),
    all,
    view,
    change,
    background,
    dial,
    wake: wakeups.at,
    forget: async (id) => {
      await files.remove(id);
      known.delete(id);
      records.delete(id);
    },
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

const runningOf = (instances: readonly Instance[]) =>
  instances.find(({ role, state }) => role === 'bot' && state === 'running');

export const giveUp =
  (error: string): Change =>
  ({ wanted }) =>
    wanted === 'running' ? { wanted: 'stopped', cause: 'failed', error } : undefined;

/** `lastActivityAt` is written down with it. */
export const halt =
  ({ lastActivityAt }: Known, cause: SandboxRecord['cause']): Change =>
  ({ wanted }) =>
    wanted === 'running' ? { wanted: 'stopped', cause, lastActivityAt } : undefined;
