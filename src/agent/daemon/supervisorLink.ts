import type { EventSink, EventType } from '../../bot/events/event.ts';
import type { FromDaemon, PulledState, ToDaemon } from '../process/messages.ts';

/** What the daemon needs of a parent: Node's `process` where it has an IPC channel. */
export interface Channel {
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

export interface SupervisorLink {
  readonly started: Promise<{ readonly pulled: PulledState; readonly botGroup: number | undefined }>;
  /** Resolves when the bot has ended; with the time left for the final sync in milliseconds, undefined: no limit. */
  readonly finishing: Promise<{ readonly budgetMs: number | undefined }>;
  /** Aborted when the supervisor has died. */
  readonly orphaned: AbortSignal;
  readonly emit: EventSink;
  /** Resolves when it is on its way, or nobody is there to hear it. */
  tell(message: FromDaemon): Promise<void>;
  /** Stops the bot; false when it could not be stopped. */
  freeze(): Promise<boolean>;
  thaw(): Promise<void>;
}

/** The supervisor as the daemon sees it. */
export function linkSupervisor(channel: Channel, now: () => number): SupervisorLink {
  const started = Promise.withResolvers<{ pulled: PulledState; botGroup: number | undefined }>();
  const finishing = Promise.withResolvers<{ budgetMs: number | undefined }>();
  const orphaned = new AbortController();
  let frozen: ((ok: boolean) => void) | undefined;
  let thawed: (() => void) | undefined;

  const tell = (message: FromDaemon) =>
    new Promise<void>((resolve) => {
      if (orphaned.signal.aborted || !channel.send) return resolve();
      // A supervisor that dies meanwhile is told by `disconnect`.
      channel.send(message, () => resolve());
    });

  channel.on('message', (raw) => {
    const message = raw as ToDaemon;
    switch (message.type) {
      case 'start':
        started.resolve(message);
        break;
      case 'finish':
        void tell({ type: 'alive' });
        finishing.resolve(message);
        break;
      case 'frozen':
        frozen?.(message.ok);
        break;
      case 'thawed':
        thawed?.();
        break;
    }
  });
  channel.on('disconnect', () => {
    orphaned.abort();
    frozen?.(false);
    thawed?.();
  });

  return {
    started: started.promise,
    finishing: finishing.promise,
    orphaned: orphaned.signal,
    tell,
    emit: (type: EventType, data) =>
      void tell({ type: 'event', event: { type, at: new Date(now()).toISOString(), data } }),
    freeze: () =>
      new Promise((resolve) => {
        if (orphaned.signal.aborted) return resolve(false);
        frozen = resolve;
        void tell({ type: 'freeze' });
      }),
    thaw: () =>
      new Promise((resolve) => {
        if (orphaned.signal.aborted) return resolve();
        thawed = resolve;
        void tell({ type: 'thaw' });
      }),
  };
}
