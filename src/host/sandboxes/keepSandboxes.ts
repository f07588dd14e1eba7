import { randomBytes } from 'node:crypto';
import { RuntimeError } from '../../base/errors.ts';
import { makeAgentToken } from '../bots/agentToken.ts';
import { names } from '../bots/names.ts';
import { makeBoxTokens } from './boxTokens.ts';
import { halt } from './change.ts';
import { checkVariables } from './checkVariables.ts';
import { dialInside } from './dialInside.ts';
import { digestOf } from './digestOf.ts';
import { createHousekeeping } from './housekeeping.ts';
import type { Known } from './known.ts';
import { newRecord } from './newRecord.ts';
import { createRoster, type Roster, type RosterOptions } from './roster.ts';
import type { NewSandbox, Sandboxes } from './sandboxes.ts';
import { isLive } from './statusOf.ts';
import { untilStatus } from './untilStatus.ts';

export interface KeptSandboxes extends Sandboxes {
  /** Resolves when each that ran before this host did is known to run, or a few seconds have passed. */
  settled(signal: AbortSignal): Promise<void>;
}

const SETTLE_MS = 10_000;

/** What can be asked of sandboxes. All that is asked is on the disk before it is acted upon. */
export function keepSandboxes(options: RosterOptions): KeptSandboxes {
  const { clock, tokenKey } = options;
  const { api } = options.host;
  const keys = new Map<string, { readonly digest: string; readonly made: Promise<string> }>();
  const housekeeping = createHousekeeping(options, () => roster);
  const roster: Roster = createRoster(options, housekeeping.due);
  const { own, view, change } = roster;
  const seen = (id: string) => view(own(id));

  for (const one of roster.all()) {
    keepKey(one);
    if (one.record.toFork) void housekeeping.fork(one);
  }
  roster.on((sandbox, what) => void (what === 'moved' && keys.delete(keyOf(sandbox))));

  function keepKey({ record }: Known): void {
    const { id, digest, idempotencyKey } = record;
    if (idempotencyKey !== undefined) keys.set(keyOf(record), { digest, made: Promise.resolve(id) });
  }

  async function make(request: NewSandbox, digest: string): Promise<string> {
    const id = `sbx-${randomBytes(10).toString('hex')}`;
    const record = newRecord(request, { id, digest, now: clock.now() });
    await options.files.put(record);
    const one = roster.add(record);
    if (record.toFork) void housekeeping.fork(one);
    return id;
  }

  function makeOnce(request: NewSandbox, digest: string): Promise<string> {
    const key = keyOf(request);
    const before = keys.get(key);
    if (before === undefined) {
      const made = make(request, digest);
      keys.set(key, { digest, made });
      made.catch(() => keys.delete(key));
      return made;
    }
    if (before.digest === digest) return before.made;
    throw new RuntimeError('conflict', 'this idempotency key was given with another request', {
      op: 'sandboxes.create',
    });
  }

  return {
    create: async (request) => {
      checkVariables(request);
      const digest = digestOf(request);
      const isKeyed = request.idempotencyKey !== undefined;
      return seen(await (isKeyed ? makeOnce(request, digest) : make(request, digest)));
    },
    find: (id) => {
      const one = roster.find(id);
      return one === undefined || one.record.wanted === 'gone' ? undefined : view(one);
    },
    all: () => roster.all().map(view),
    sharesStore: options.claims !== undefined,
    visit: roster.visit,
    stop: async (id, cause) => {
      await change(own(id), halt(own(id), cause));
      return seen(id);
    },
    resume: async (id) => {
      const one = own(id);
      const hadFailed = one.record.cause === 'failed';
      await change(one, (record) => {
        if (record.cause === 'lifetime')
          throw new RuntimeError('conflict', `sandbox ${id} has expired`, { op: 'sandboxes.resume' });
        if (record.wanted === 'running') return undefined;
        one.lastActivityAt = clock.now();
        return { wanted: 'running', cause: undefined, error: undefined };
      });
      // It may have come from another host.
      keepKey(one);
      if (one.record.toFork) void housekeeping.fork(one);
      // It would wait: for a change, or longer with each time that it has failed.
      if (hadFailed && api.bot(id) !== undefined) await api.restart(id);
      return seen(id);
    },
    remove: async (id, cause) => {
      const one = own(id);
      await change(one, () => {
        // Somebody else may have been faster.
        own(id);
        return { wanted: 'gone', cause, removedAt: clock.now() };
      });
      if (one.record.idempotencyKey !== undefined) keys.delete(keyOf(one.record));
    },
    setIdleTimeout: async (id, idleMs) => {
      await change(own(id), () => ({ idleMs }));
      return seen(id);
    },
    setEgress: async (id, egress) => {
      await change(own(id), ({ wanted }) => {
        if (wanted !== 'running' && !isLive(api.bot(id))) return { egress };
        throw new RuntimeError('conflict', `sandbox ${id} runs`, { op: 'sandboxes.egress' });
      });
      return seen(id);
    },
    touch: (id) => {
      const one = roster.find(id);
      if (one !== undefined) one.lastActivityAt = clock.now();
    },
    until: (id, statuses, signal) =>
      untilStatus({ find: () => seen(id), changes: roster.on }, statuses, signal),
    dial: async (id, port, signal) => await dialInside(options.host, own(id).record.id, port, signal),
    wake: async (id, signal) => options.host.engine.wake?.(names.bot(id), signal),
    boxToken: (id) => makeBoxTokens(tokenKey, id).box,
    agentToken: (id) => makeAgentToken(options.tokenKey, id),
    publishToken: (id) => makeBoxTokens(tokenKey, id).publish,
    changes: roster.on,
    settled: async (signal) => {
      const end = clock.now() + SETTLE_MS;
      while (!roster.isSettled() && clock.now() < end) await clock.sleep(20, signal);
    },
  };
}

/** Keys of others are no business of this one's. */
function keyOf({ owner, idempotencyKey }: Pick<NewSandbox, 'owner' | 'idempotencyKey'>): string {
  return `${owner}\n${idempotencyKey ?? ''}`;
}
