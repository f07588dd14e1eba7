import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { EventBus } from '../events/eventBus.ts';
import type { Session } from './session.ts';

/** A session as clients read it. `readers`: who follows it, and how many events each has still to take. */
export function viewOf(session: Session, sandbox: Sandbox | undefined, bus: EventBus): object {
  const log = bus.of('sessions', session.id);
  const active = session.executions.filter(({ status }) => status === 'running');
  return {
    id: session.id,
    sessionId: session.id,
    sandboxId: session.sandbox,
    status: sandbox?.status === 'running' ? 'active' : (sandbox?.status ?? 'closed'),
    state: active.length > 0 ? 'running' : 'idle',
    activeExecutionId: active[0]?.id ?? null,
    reconnectable: active.length > 0,
    outstandingInteractions: [],
    createdAt: new Date(session.createdAt).toISOString(),
    metadata: session.metadata,
    lastEventId: log.lastId,
    oldestEventId: log.oldestId,
    readers: bus
      .readers('sessions', session.id)
      .map(({ cursor }) => ({ cursor, lag: Math.max(0, log.lastId - cursor) })),
    executions: session.executions.map(({ id, status, createdAt, endedAt, result }) => ({
      id,
      status,
      createdAt: new Date(createdAt).toISOString(),
      endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
      ...(result === undefined ? {} : { result }),
    })),
  };
}
