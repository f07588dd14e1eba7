import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { HostApi } from '../api/hostApi.ts';
import { createWakeups } from '../loop/wakeups.ts';
import type { Entry } from '../sources/source.ts';
import { BOX_PORT, makeBoxTokens } from './boxTokens.ts';
import { checkVariables } from './checkVariables.ts';
import { digestOf } from './digestOf.ts';
import { nextDue } from './due.ts';
import { type Known, newKnown, viewOf } from './known.ts';
import type { RecordFiles } from './openRecordFiles.ts';
import type { SandboxRecord } from './record.ts';
import type { Cause, NewSandbox, Sandbox, Sandboxes } from './sandboxes.ts';
import type { SandboxesOptions } from './sandboxesOptions.ts';
import type { SandboxSource } from './sandboxSource.ts';
import { givenUp, isLive, statusOf } from './statusOf.ts';
import { untilStatus } from './untilStatus.ts';
import { watchReach } from './watchReach.ts';

export interface AttachedHost {
  readonly api: HostApi;
  /** Its name, for clients. */
  readonly name: string;
  readonly dial: (address: string, port: number, signal: AbortSignal) => Promise<Duplex>;
}

export interface KeptSandboxes extends Sandboxes {
  /** Resolves when each that ran before this host did is known to run, or a few seconds have passed. */
  settled(signal: AbortSignal): Promise<void>;
}

export interface KeepSandboxes extends SandboxesOptions {
  readonly files: RecordFiles;
  /** Shared with whoever has opened them. */
  readonly records: Map<string, SandboxRecord>;
  readonly source: SandboxSource;
  readonly entryOf: (record: SandboxRecord) => Entry;
  readonly host: AttachedHost;
}

const RETRY_MS = 5_000;
const SETTLE_MS = 10_000;

export function keepSandboxes(options: KeepSandboxes): KeptSandboxes {
  const { files, records, source, host, clock, log, signal, keepDeletedMs } = options;
  const { api } = host;
  const known = new Map<string, Known>();
  const keys = new Map<string, { readonly digest: string; readonly made: Promise<string> }>();
  const listeners = new Set<(sandbox: Sandbox) => void>();
  const wakeups = createWakeups(options.timers, (id) => void due(id));
  const reach = watchReach({
    isThere: async (id, looking) => {
      (await dial(id, BOX_PORT, looking)).destroy();
      return true;
    },
    clock,
    changed: look,
    signal,
  });

  function add(record: SandboxRecord): Known {
    const one = newKnown(record, clock.now());
    records.set(record.id, record);
    known.set(record.id, one);
    if (record.idempotencyKey !== undefined && record.wanted !== 'gone')
      keys.set(keyOf(record), { digest: record.digest, made: Promise.resolve(record.id) });
    arm(one);
    if (record.toFork && record.wanted !== 'gone') void fork(one);
    return one;
  }

  function own(id: string): Known {
    const one = known.get(id);
    if (one === undefined || one.record.wanted === 'gone')
      throw new RuntimeError('not-found', `no sandbox ${id}`, { op: 'sandboxes.find', path: id });
    return one;
  }

  function arm(one: Known): void {
    const next = nextDue(one.record, one.lastActivityAt, keepDeletedMs);
    wakeups.cancel(one.record.id);
    if (next !== undefined) wakeups.at(one.record.id, next.at);
  }

  function tell(one: Known): void {
    const sandbox = viewOf(one, host.name);
    for (const listener of listeners) listener(sandbox);
  }

  /** Writes a change down, after those before it, and acts upon it. `change` undefined: there is none. */
  function change(
    one: Known,
    changed: (record: SandboxRecord) => Partial<SandboxRecord> | undefined,
  ): Promise<void> {
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
        if (!look(next.id)) tell(one);
      });
    return one.turn;
  }

  /** What it is now; true when that is another thing than before, and has been told. */
  function look(id: string): boolean {
    const one = known.get(id);
    if (one === undefined || one.record.wanted === 'gone') return false;
    const bot = api.bot(id);
    const instance = bot?.instances.find(({ role, state }) => role === 'bot' && state === 'running');
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

  const giveUp = (error: string) => (record: SandboxRecord) =>
    record.wanted === 'running' ? { wanted: 'stopped' as const, cause: 'failed' as const, error } : undefined;

  function background(one: Known, changed: Parameters<typeof change>[1]): void {
    change(one, changed).catch((error: unknown) =>
      log.error(`sandbox ${one.record.id}: ${asRuntimeError(error).message}`),
    );
  }

  const halt = (one: Known, cause: Cause) => (record: SandboxRecord) =>
    record.wanted === 'running'
      ? { wanted: 'stopped' as const, cause, lastActivityAt: one.lastActivityAt }
      : undefined;

  async function due(id: string): Promise<void> {
    const one = known.get(id);
    const next = one && nextDue(one.record, one.lastActivityAt, keepDeletedMs);
    if (one === undefined || next === undefined) return;
    if (next.at > clock.now()) return arm(one);
    try {
      if (next.what === 'idle') await change(one, halt(one, 'idle'));
      else if (next.what === 'lifetime')
        await change(one, () => ({ wanted: 'stopped', cause: 'lifetime', removedAt: clock.now() }));
      else await purge(one);
    } catch (error) {
      if (signal.aborted) return;
      log.error(`sandbox ${id}: ${asRuntimeError(error).message}`, { due: next.what });
      wakeups.at(id, clock.now() + RETRY_MS);
    }
  }

  async function purge(one: Known): Promise<void> {
    const { id } = one.record;
    if (one.record.wanted !== 'gone') await change(one, () => ({ wanted: 'gone' }));
    // Its last save would come after.
    if (api.bot(id) !== undefined || !api.status().engine.answers)
      return void wakeups.at(id, clock.now() + RETRY_MS);
    await options.purge(id, signal);
    await files.remove(id);
    known.delete(id);
    records.delete(id);
  }

  async function fork(one: Known): Promise<void> {
    const { from, id } = one.record;
    while (from !== undefined && !signal.aborted && one.record.wanted !== 'gone') {
      try {
        await options.fork(from, id, signal);
        return await change(one, () => ({ toFork: false }));
      } catch (error) {
        if (signal.aborted) return;
        if (isRuntimeError(error, 'not-found', 'refused', 'damaged', 'config'))
          return background(one, giveUp(error.message));
        log.warn(`sandbox ${id} cannot be begun yet: ${asRuntimeError(error).message}`);
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async function make(request: NewSandbox, digest: string): Promise<string> {
    const { secretEnv, ...rest } = request;
    const now = clock.now();
    const record: SandboxRecord = {
      ...rest,
      version: 1,
      id: `sbx-${randomBytes(10).toString('hex')}`,
      secretEnv: Object.fromEntries(Object.entries(secretEnv).map(([name, value]) => [name, value.reveal()])),
      digest,
      wanted: 'running',
      toFork: request.from !== undefined,
      createdAt: now,
      startedAt: undefined,
      lastActivityAt: now,
      removedAt: undefined,
      cause: undefined,
      error: undefined,
    };
    await files.put(record);
    const one = add(record);
    if (!record.toFork) source.set(record.id, options.entryOf(record));
    if (!look(record.id)) tell(one);
    return record.id;
  }

  async function dial(id: string, port: number, dialing: AbortSignal): Promise<Duplex> {
    const instance = api
      .bot(own(id).record.id)
      ?.instances.find(({ role, state }) => role === 'bot' && state === 'running');
    if (instance?.address === undefined)
      throw new RuntimeError('conflict', `sandbox ${id} does not run`, { op: 'sandboxes.dial' });
    return await host.dial(instance.address, port, dialing);
  }

  for (const record of records.values()) add(record);
  signal.addEventListener('abort', api.changes(look), { once: true });
  signal.addEventListener('abort', () => wakeups.stop(), { once: true });
  const all = () => [...known.values()].filter(({ record }) => record.wanted !== 'gone');
  const isSettled = () =>
    all().every(
      (one) =>
        one.isSeen &&
        !(one.record.wanted === 'running' && isLive(api.bot(one.record.id)) && !reach.has(one.record.id)),
    );

  return {
    create: async (request) => {
      checkVariables(request);
      const digest = digestOf(request);
      if (request.idempotencyKey === undefined) return viewOf(own(await make(request, digest)), host.name);
      const key = keyOf(request);
      const before = keys.get(key);
      if (before !== undefined && before.digest !== digest)
        throw new RuntimeError('conflict', 'this idempotency key was given with another request', {
          op: 'sandboxes.create',
        });
      const made = before?.made ?? make(request, digest);
      if (before === undefined) {
        keys.set(key, { digest, made });
        made.catch(() => keys.delete(key));
      }
      return viewOf(own(await made), host.name);
    },
    find: (id) => {
      const one = known.get(id);
      return one === undefined || one.record.wanted === 'gone' ? undefined : viewOf(one, host.name);
    },
    all: () => all().map((one) => viewOf(one, host.name)),
    stop: async (id, cause) => {
      const one = own(id);
      await change(one, halt(one, cause));
      return viewOf(one, host.name);
    },
    resume: async (id) => {
      const one = own(id);
      await change(one, (record) => {
        if (record.cause === 'lifetime')
          throw new RuntimeError('conflict', `sandbox ${id} has expired`, { op: 'sandboxes.resume' });
        if (record.wanted === 'running') return undefined;
        one.lastActivityAt = clock.now();
        return { wanted: 'running', cause: undefined, error: undefined };
      });
      if (one.record.toFork) void fork(one);
      if (api.bot(id)?.state === 'held') await api.restart(id);
      return viewOf(one, host.name);
    },
    remove: async (id, cause) => {
      const one = own(id);
      await change(one, (record) =>
        record.wanted === 'gone' ? undefined : { wanted: 'gone', cause, removedAt: clock.now() },
      );
      reach.see(id, undefined);
      if (one.record.idempotencyKey !== undefined) keys.delete(keyOf(one.record));
    },
    setIdleTimeout: async (id, idleMs) => {
      const one = own(id);
      await change(one, () => ({ idleMs }));
      return viewOf(one, host.name);
    },
    setEgress: async (id, egress) => {
      const one = own(id);
      await change(one, (record) => {
        if (record.wanted !== 'running' && !isLive(api.bot(id))) return { egress };
        throw new RuntimeError('conflict', `sandbox ${id} runs`, { op: 'sandboxes.egress' });
      });
      return viewOf(one, host.name);
    },
    touch: (id) => {
      const one = known.get(id);
      if (one !== undefined) one.lastActivityAt = clock.now();
    },
    until: (id, statuses, waiting) =>
      untilStatus(
        { find: () => viewOf(own(id), host.name), changes: (listener) => on(listener) },
        statuses,
        waiting,
      ),
    dial,
    boxToken: (id) => makeBoxTokens(options.tokenKey, id).box,
    publishToken: (id) => makeBoxTokens(options.tokenKey, id).publish,
    changes: (listener) => on(listener),
    settled: async (waiting) => {
      const end = clock.now() + SETTLE_MS;
      while (!isSettled() && clock.now() < end) await clock.sleep(20, waiting);
    },
  };

  function on(listener: (sandbox: Sandbox) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }
}

/** Keys of others are no business of this one's. */
function keyOf({ owner, idempotencyKey }: Pick<NewSandbox, 'owner' | 'idempotencyKey'>): string {
  return `${owner}\n${idempotencyKey ?? ''}`;
}
