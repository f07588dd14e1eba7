import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { QUERY_PORT } from '../../../host/engine/queryPort.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { emit } from '../events/emit.ts';
import type { EventBus } from '../events/eventBus.ts';
import { newestOf } from '../events/newestOf.ts';
import { HttpError } from '../http/httpError.ts';
import { refuseMore } from '../http/refuseMore.ts';
import { openJsonFiles } from '../openJsonFiles.ts';
import { callInside } from '../runtime/callInside.ts';
import { driveExecution } from './driveExecution.ts';
import { type Execution, MOST_EXECUTIONS, SESSION_DELETED, type Session } from './session.ts';

/**
 * The room of sessions: conversations with the agents of sandboxes.
 *
 *   session                 what is kept of each, by `openJsonFiles`
 *   openSessions            all of them: made, found, told, cancelled, removed
 *   driveExecution          one message: to the agent, and what that says to the session's stream
 *   translate               from the agent's events to those of this API
 *   sessionRoutes, agentRoutes   the two ways by which clients come
 */
export interface Sessions {
  create(session: NewSession): Session;
  find(id: string): Session | undefined;
  all(): readonly Session[];
  /** Resolves when the agent has the message. Throws `HttpError`. */
  send(session: Session, message: NewMessage): Promise<Execution>;
  /** Those that run, or the one that is named. */
  cancel(session: Session, execution: string | undefined): Promise<readonly string[]>;
  /** Resolves with it when it has ended. */
  ended(session: string, execution: string, signal: AbortSignal): Promise<Execution>;
  remove(session: Session): Promise<void>;
}

export type NewSession = Pick<Session, 'owner' | 'sandbox' | 'ownsSandbox' | 'metadata'> & {
  /** Given by the client. Throws `conflict` where another sandbox has one of it. */
  readonly id: string | undefined;
};

export type NewMessage = Pick<Execution, 'key' | 'metadata'> & { readonly message: string };

export interface SessionsOptions {
  readonly sandboxes: Sandboxes;
  readonly bus: EventBus;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this server's end: what runs goes on inside, and is taken up again by the next. */
  readonly signal: AbortSignal;
}

/** Each keeps up to 32 MiB of events on the disk: so many of one sandbox, of one key, and of this server. */
const MOST_SESSIONS = { sandbox: 256, key: 1000, server: 10_000 };

export function openSessions(options: SessionsOptions): Sessions {
  const { sandboxes, bus, clock, log, signal } = options;
  const files = openJsonFiles<Session>(options.folder);
  const all = new Map(files.found.map((session) => [session.id, session]));
  const removed = new Map<string, AbortController>();
  const running = new Map<string, Promise<void>>();

  const change = (id: string, changed: (session: Session) => Session) => {
    const session = all.get(id);
    if (session === undefined) return;
    const next = changed(session);
    files.put(next);
    all.set(id, next);
  };
  const putExecution = (id: string, execution: Execution) =>
    change(id, (session) => {
      const isKnown = session.executions.some((each) => each.id === execution.id);
      const executions = isKnown
        ? session.executions.map((each) => (each.id === execution.id ? execution : each))
        : [...session.executions, execution];
      return { ...session, executions: executions.slice(-MOST_EXECUTIONS) };
    });

  /** Until it has ended or this server does. Resolves when the agent has it, and rejects when it does not take it. */
  const run = (session: Session, execution: Execution, isResumed: boolean): Promise<void> => {
    const gone = removed.get(session.id) ?? new AbortController();
    removed.set(session.id, gone);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopping = AbortSignal.any([signal, gone.signal]);
    const logs = { session: bus.of('sessions', session.id), sandbox: bus.of('sandboxes', session.sandbox) };
    const driven = driveExecution({
      ...options,
      session,
      execution,
      logs,
      isResumed,
      onAccepted: resolve,
      signal: stopping,
    }).then(
      ({ status, result }) => {
        putExecution(session.id, { ...execution, message: undefined, status, result, endedAt: clock.now() });
        resolve();
      },
      (error: unknown) => {
        reject(error);
        if (stopping.aborted) return;
        change(session.id, (now) => ({
          ...now,
          executions: now.executions.filter(({ id }) => id !== execution.id),
        }));
        if (!(error instanceof HttpError))
          log.error(`session ${session.id}: ${asRuntimeError(error).message}`);
      },
    );
    const over = driven.finally(() => running.delete(execution.id));
    running.set(execution.id, over);
    return promise;
  };

  const turnOf = (session: Session, execution: string): string | undefined => {
    const told = newestOf(
      bus.of('sessions', session.id),
      execution,
      ({ data }) => data.executionId === execution,
    );
    return typeof told?.data._turn === 'string' ? told.data._turn : undefined;
  };
  const isRunning = ({ status }: Execution) => status === 'running';

  const cancel = async (session: Session, only: string | undefined): Promise<readonly string[]> => {
    const those = session.executions.filter(
      (each) => isRunning(each) && (only === undefined || each.id === only),
    );
    const cancelled: string[] = [];
    for (const { id } of those) {
      const turn = turnOf(session, id);
      if (turn === undefined) continue;
      const { sandbox } = session;
      const path = `/_runtime/agent/messages/${turn}/cancel`;
      const token = sandboxes.agentToken(sandbox);
      const call = { id: sandbox, port: QUERY_PORT, method: 'POST' as const, path, token, body: {} };
      (await callInside(sandboxes, call, signal)).resume();
      cancelled.push(id);
    }
    return cancelled;
  };

  const remove = async (session: Session): Promise<void> => {
    await cancel(session, undefined).catch(() => undefined);
    removed.get(session.id)?.abort(new HttpError(404, 'NOT_FOUND', `session ${session.id} was deleted`));
    removed.delete(session.id);
    all.delete(session.id);
    files.remove(session.id);
    // Whoever follows it is told, from memory.
    emit(bus.of('sessions', session.id), log, { type: SESSION_DELETED, data: { sessionId: session.id } });
    bus.remove('sessions', session.id);
    if (session.ownsSandbox && sandboxes.find(session.sandbox) !== undefined)
      await sandboxes.remove(session.sandbox, 'user');
  };

  for (const session of [...all.values()]) {
    if (sandboxes.find(session.sandbox) === undefined) void remove(session);
    else
      for (const execution of session.executions.filter(isRunning))
        run(session, execution, true).catch(() => undefined);
  }
  const end = sandboxes.changes(({ id }) => {
    if (sandboxes.find(id) !== undefined) return;
    for (const session of all.values()) if (session.sandbox === id) void remove(session);
  });
  void whenAborted(signal).then(end);

  return {
    create: ({ id, ...rest }) => {
      const before = id === undefined ? undefined : all.get(id);
      if (before !== undefined) {
        if (before.sandbox === rest.sandbox) return before;
        throw new RuntimeError('conflict', `there is a session ${id} of another sandbox`);
      }
      const those = [...all.values()];
      const ofSandbox = those.filter(({ sandbox }) => sandbox === rest.sandbox).length;
      refuseMore(`sandbox ${rest.sandbox} has`, 'sessions', ofSandbox, MOST_SESSIONS.sandbox);
      const ofKey = those.filter(({ owner }) => owner === rest.owner).length;
      refuseMore(`the key ${rest.owner} has`, 'sessions', ofKey, MOST_SESSIONS.key);
      refuseMore('all keys of this server together have', 'sessions', those.length, MOST_SESSIONS.server);
      const session: Session = {
        ...rest,
        id: id ?? `ses_${randomUUID()}`,
        createdAt: clock.now(),
        executions: [],
      };
      bus.of('sessions', session.id);
      files.put(session);
      all.set(session.id, session);
      return session;
    },
    find: (id) => all.get(id),
    all: () => [...all.values()],
    send: async ({ id: sessionId }, { key, message, metadata }) => {
      const session = all.get(sessionId);
      if (session === undefined) throw new RuntimeError('not-found', `no session ${sessionId}`);
      const same = key === undefined ? undefined : session.executions.find((each) => each.key === key);
      if (same !== undefined) return same;
      const execution: Execution = {
        id: `exec_${randomUUID()}`,
        key,
        message,
        metadata,
        status: 'running',
        createdAt: clock.now(),
        endedAt: undefined,
        result: undefined,
      };
      // First: whoever is killed after this takes it up again, and under its own key it is done once.
      putExecution(sessionId, execution);
      await run(session, execution, false);
      return execution;
    },
    cancel: (session, execution) => cancel(all.get(session.id) ?? session, execution),
    ended: async (sessionId, execution, waiting) => {
      await Promise.race([running.get(execution), whenAborted(waiting)]);
      waiting.throwIfAborted();
      const found = all.get(sessionId)?.executions.find(({ id }) => id === execution);
      if (found === undefined) throw new RuntimeError('not-found', `no execution ${execution}`);
      return found;
    },
    remove,
  };
}
