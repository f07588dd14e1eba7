import type { EventSink, EventType } from '../../bot/events/event.ts';
import type { Finishing } from '../../bot/sync/syncOptions.ts';
import { type ChannelEnd, openChannel } from '../process/channel.ts';
import type { FromDaemon, PulledState, ToDaemon } from '../process/messages.ts';

export interface SupervisorLink {
  readonly started: Promise<{ readonly pulled: PulledState; readonly botGroup: number | undefined }>;
  /** Resolves when the bot has ended; with the time left for the final sync in milliseconds, undefined: no limit. */
  readonly finishing: Promise<Finishing>;
  /** Aborted when the supervisor has died. */
  readonly orphaned: AbortSignal;
  readonly emit: EventSink;
  /** Resolves when it is on its way, or nobody is there to hear it. */
  tell(message: FromDaemon): Promise<void>;
  /** Stops the bot; false when it could not be stopped. */
  freeze(): Promise<boolean>;
  thaw(): Promise<void>;
}

/** The supervisor as the daemon sees it. `parent`: Node's `process` where it has an IPC channel. */
export function linkSupervisor(parent: ChannelEnd, now: () => number): SupervisorLink {
  const started = Promise.withResolvers<{ pulled: PulledState; botGroup: number | undefined }>();
  const finishing = Promise.withResolvers<Finishing>();
  let frozen: ((ok: boolean) => void) | undefined;
  let thawed: (() => void) | undefined;

  const channel = openChannel<FromDaemon, ToDaemon>(parent, (message) => {
    switch (message.type) {
      case 'start':
        started.resolve(message);
        break;
      case 'finish':
        channel.send({ type: 'alive' });
        finishing.resolve({ budgetMs: message.budgetMs, endedWell: () => message.endedWell });
        break;
      case 'frozen':
        frozen?.(message.ok);
        break;
      case 'thawed':
        thawed?.();
        break;
    }
  });
  const { closed } = channel;
  closed.addEventListener('abort', () => {
    frozen?.(false);
    thawed?.();
  });
  const tell = (message: FromDaemon) => new Promise<void>((resolve) => channel.send(message, resolve));

  return {
    started: started.promise,
    finishing: finishing.promise,
    orphaned: closed,
    tell,
    emit: (type: EventType, data) =>
      void tell({ type: 'event', event: { type, at: new Date(now()).toISOString(), data } }),
    freeze: () =>
      new Promise((resolve) => {
        if (closed.aborted) return resolve(false);
        frozen = resolve;
        void tell({ type: 'freeze' });
      }),
    thaw: () =>
      new Promise((resolve) => {
        if (closed.aborted) return resolve();
        thawed = resolve;
        void tell({ type: 'thaw' });
      }),
  };
}
