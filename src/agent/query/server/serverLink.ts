import type { EventSink } from '../../../bot/events/event.ts';
import { EventBuffer } from '../../../bot/events/eventBuffer.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import type { FromQueryServer, ToQueryServer } from '../../process/messages.ts';
import type { QueryMetrics } from './metrics.ts';

const EVENTS_KEPT = 1024;

/** What the query server needs of a parent: Node's `process` where it has an IPC channel. */
export interface Channel {
  readonly connected?: boolean;
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** What is known here of the bot: told by the supervisor, or nothing in a sidecar of its own. */
export interface ServerLink {
  readonly events: EventBuffer;
  readonly emit: EventSink;
  tell(message: FromQueryServer): void;
  readonly botRuns: () => boolean;
  readonly botPid: () => number | undefined;
  readonly startedAt: () => string;
  readonly generation: () => number | null;
  readonly lastPublish: () => PublishReport | null;
}

export interface LinkOptions {
  readonly now: () => number;
  readonly metrics: QueryMetrics;
  /** The supervisor says so, or is gone. */
  readonly onStop: () => void;
}

/** The supervisor as the query server sees it. */
export function linkSupervisor(channel: Channel, { now, metrics, onStop }: LinkOptions): ServerLink {
  const supervised = channel.send !== undefined;
  // All events pass the supervisor, ours too: it numbers them, also for a server that is started again.
  const events = new EventBuffer(EVENTS_KEPT, supervised ? 0 : now());
  const at = () => new Date(now()).toISOString();
  let startedAt = at();
  let running = !supervised;
  let botPid: number | undefined;
  let generation: number | null = null;
  let lastPublish: PublishReport | null = null;

  const take = (message: ToQueryServer) => {
    switch (message.type) {
      case 'life':
        ({ startedAt, botPid } = message);
        generation = message.generation ?? null;
        if (generation !== null) metrics.generation(generation);
        break;
      case 'event':
        events.append(message.event, message.id);
        if (message.event.type === 'error') metrics.syncFailed();
        break;
      case 'published':
        lastPublish = message.report;
        generation = message.report.generation;
        metrics.published(message.report);
        break;
      case 'logs':
        metrics.logLag(message.lagMs / 1000);
        break;
      case 'bot':
        running = message.running;
        break;
      case 'stop':
        onStop();
    }
  };
  channel.on('message', (message) => take(message as ToQueryServer));
  channel.on('disconnect', onStop);
  // It may have died while we were starting.
  if (supervised && !channel.connected) onStop();

  const tell = (message: FromQueryServer) => {
    // A supervisor that dies meanwhile is told by `disconnect`.
    if (channel.connected) channel.send?.(message, () => undefined);
  };
  return {
    events,
    emit: (type, data) => {
      const event = { type, at: at(), data };
      if (supervised) tell({ type: 'event', event });
      else events.append(event);
    },
    tell,
    botRuns: () => running,
    botPid: () => botPid,
    startedAt: () => startedAt,
    generation: () => generation,
    lastPublish: () => lastPublish,
  };
}
