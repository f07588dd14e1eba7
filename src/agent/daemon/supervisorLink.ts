import type { EventSink, EventType } from '../../bot/events/event.ts';
import type { Finishing, SavedNow } from '../../bot/sync/syncOptions.ts';
import { type ChannelEnd, openChannel } from '../process/channel.ts';
import type { FromDaemon, PulledState, ToDaemon } from '../process/messages.ts';

export interface SupervisorLink {
  readonly started: Promise<{ readonly pulled: PulledState }>;
  /** The bot's process group at this moment. */
  readonly botGroup: () => number | undefined;
  /** The listener is called when the state has to be saved at once; the supervisor is told what it resolves with. There is one listener, and a request that came before it waits. */
  onSave(save: () => Promise<SavedNow>): void;
  /** Resolves when the bot has ended, with the time that is left for the final sync in milliseconds; undefined: no limit. */
  readonly finishing: Promise<Finishing>;
  /** Aborted when the supervisor has died. */
  readonly orphaned: AbortSignal;
  readonly emit: EventSink;
  /** Resolves when the message is on its way, or no supervisor is left to receive it. */
  tell(message: FromDaemon): Promise<void>;
  /** Has the supervisor stop the bot; false where that was not possible. */
  freeze(): Promise<boolean>;
  thaw(): Promise<void>;
}

/** The supervisor as the daemon sees it. `parent`: Node's `process` where it has an IPC channel. */
export function linkSupervisor(parent: ChannelEnd, now: () => number): SupervisorLink {
  const started = Promise.withResolvers<{ pulled: PulledState }>();
  const finishing = Promise.withResolvers<Finishing>();
  const saving = Promise.withResolvers<() => Promise<SavedNow>>();
  let botGroup: number | undefined;
  let frozen: ((ok: boolean) => void) | undefined;
  let thawed: (() => void) | undefined;

  const channel = openChannel<FromDaemon, ToDaemon>(parent, (message) => {
    switch (message.type) {
      case 'start':
        botGroup = message.botGroup;
        started.resolve(message);
        break;
      case 'group':
        botGroup = message.botGroup;
        break;
      case 'save':
        void saving.promise.then(async (save) => tell({ type: 'saved', saved: await save() }));
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
    botGroup: () => botGroup,
    onSave: saving.resolve,
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
