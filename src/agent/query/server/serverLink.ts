import { randomUUID } from 'node:crypto';
import { RuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { EventSink } from '../../../bot/events/event.ts';
import { EventBuffer } from '../../../bot/events/eventBuffer.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';
import type { SavedNow } from '../../../bot/sync/syncOptions.ts';
import type { ToAgentServer } from '../../process/agentMessages.ts';
import { type ChannelEnd, openChannel } from '../../process/channel.ts';
import type { FromQueryServer, ToQueryServer } from '../../process/messages.ts';
import type { QueryMetrics } from './metrics.ts';

const EVENTS_KEPT = 1024;

/** What is known here of the bot: told by the supervisor, or nothing in a sidecar of its own. */
export interface ServerLink {
  readonly events: EventBuffer;
  readonly emit: EventSink;
  /** False: there is no receiver. */
  tell(message: FromQueryServer): boolean;
  /** Has the state saved as it is now. Rejects where there is nobody to do it. */
  publish(): Promise<SavedNow>;
  /** Takes what is said of an agent, also what has been said before. One listener. */
  listen(take: (message: ToAgentServer) => void): void;
  readonly botRuns: () => boolean;
  readonly botPid: () => number | undefined;
  readonly startedAt: () => string;
  readonly generation: () => number | null;
  readonly lastPublish: () => PublishReport | null;
  /** Why state or logs could not be saved when that was last tried, in words. */
  readonly unsaved: () => string | undefined;
}

export interface LinkOptions {
  readonly now: () => number;
  readonly metrics: QueryMetrics;
  /** The supervisor says so, or is gone. */
  readonly onStop: () => void;
}

/** The supervisor as the query server sees it. `parent`: Node's `process`, which has an IPC channel where there is one. */
export function linkSupervisor(parent: ChannelEnd, { now, metrics, onStop }: LinkOptions): ServerLink {
  const supervised = parent.send !== undefined;
  // All events pass the supervisor, ours too: it numbers them, also for a server that is started again.
  const events = new EventBuffer(EVENTS_KEPT, supervised ? 0 : now());
  const at = () => new Date(now()).toISOString();
  let startedAt = at();
  let running = !supervised;
  let botPid: number | undefined;
  let generation: number | null = null;
  let lastPublish: PublishReport | null = null;
  let unsaved: string | undefined;

  const publishes = new Map<string, (saved: SavedNow) => void>();
  const early: ToAgentServer[] = [];
  let hear = (message: ToAgentServer): void => void early.push(message);

  const take = (message: ToQueryServer) => {
    switch (message.type) {
      case 'life':
        ({ startedAt, botPid } = message);
        generation = message.generation ?? null;
        if (generation !== null) metrics.generation(generation);
        break;
      case 'event':
        events.append(message.event, message.id);
        if (message.event.type !== 'error') break;
        metrics.syncFailed();
        unsaved = `not everything is saved: ${message.event.data.message}`;
        break;
      case 'published':
        lastPublish = message.report;
        unsaved = undefined;
        generation = message.report.generation;
        metrics.published(message.report);
        break;
      case 'logs':
        metrics.logLag(message.lagMs / 1000);
        if (message.lagMs === 0) unsaved = undefined;
        break;
      case 'bot':
        running = message.running;
        break;
      case 'publish-done':
        publishes.get(message.id)?.(message.saved);
        publishes.delete(message.id);
        break;
      case 'stop':
        onStop();
        break;
      default:
        hear(message);
    }
  };
  const channel = openChannel<FromQueryServer, ToQueryServer>(parent, take);
  if (supervised) void whenAborted(channel.closed).then(onStop);
  const tell = (message: FromQueryServer) => channel.send(message);
  return {
    events,
    emit: (type, data) => {
      const event = { type, at: at(), data };
      if (supervised) void tell({ type: 'event', event });
      else events.append(event);
    },
    tell,
    publish: () =>
      new Promise((resolve, reject) => {
        // Of an id that no earlier server has asked under.
        const id = randomUUID();
        publishes.set(id, resolve);
        if (tell({ type: 'publish', id })) return;
        publishes.delete(id);
        reject(
          new RuntimeError(
            'unavailable',
            'nobody here saves the state: that is for the container of the bot',
          ),
        );
      }),
    listen: (listener) => {
      hear = listener;
      early.splice(0).forEach(listener);
    },
    botRuns: () => running,
    botPid: () => botPid,
    startedAt: () => startedAt,
    generation: () => generation,
    lastPublish: () => lastPublish,
    unsaved: () => unsaved,
  };
}
