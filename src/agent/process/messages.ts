import type { RuntimeEvent } from '../../bot/events/event.ts';
import type { LocalTree } from '../../bot/state/local/localTree.ts';
import type { PublishReport } from '../../bot/state/publish/publishReport.ts';
import type { FinishOutcome } from '../../bot/sync/finishOutcome.ts';
import type { SavedNow } from '../../bot/sync/syncOptions.ts';
import type { FromAgentServer, ToAgentServer } from './agentMessages.ts';

/**
 * The room of what the processes of a container have to do with each other: how they are started, what they tell each other, how
 * they are found and signalled. It decides nothing; supervisor, daemon and query server do.
 *
 * - A *role* is a process of our own binary (`startRole`), with a channel to us (`openChannel`). Here are the messages that go
 *   over it. Every process survives the death of any other: a channel that closes is an end, not an error.
 * - A *program* is the bot's: the bot itself, or one that answers queries (`startProgram`). It leads a process group of its own,
 *   gets no channel, and only where its kind has a launcher a descriptor 3, by which the launcher is told to go on (`openControl`).
 * - Who belongs to a program is read from the process table (`processTree`): the members of its group and all their descendants.
 */

/** What the pull learnt; a daemon that has to start again reads it from the store instead. */
export interface PulledState {
  readonly generation: number;
  readonly holder: string;
  /** Tag and JSON text of the head as we wrote it; both empty: read it from the store. */
  readonly etag: string;
  readonly head: string;
  /** Whose the state was before us. */
  readonly previous: { readonly generation: number; readonly holder: string };
  /** Only the supervisor's memory of it is out of the bot's reach. */
  readonly tree?: LocalTree | undefined;
}

export type ToDaemon =
  | {
      readonly type: 'start';
      readonly pulled: PulledState;
      /** The bot's process group, whose end is waited for when the supervisor dies; undefined: there is none. */
      readonly botGroup: number | undefined;
    }
  /** Answers `freeze`; `ok: false` where the bot's processes could not be stopped. */
  | { readonly type: 'frozen'; readonly ok: boolean }
  | { readonly type: 'thawed' }
  /** The bot's first process is another one now. */
  | { readonly type: 'group'; readonly botGroup: number | undefined }
  /** Somebody waits until the state is saved as it is now: answered by `saved`. */
  | { readonly type: 'save' }
  /** The bot has ended. `budgetMs` undefined: as long as bytes move. */
  | { readonly type: 'finish'; readonly budgetMs: number | undefined; readonly endedWell: boolean };

export type FromDaemon =
  | { readonly type: 'ready' }
  | { readonly type: 'published'; readonly report: PublishReport }
  | { readonly type: 'saved'; readonly saved: SavedNow }
  | { readonly type: 'fenced'; readonly message: string }
  /** Asks for the bot's processes to be stopped; the supervisor thaws them by itself after 200 ms. */
  | { readonly type: 'freeze' }
  | { readonly type: 'thaw' }
  /** Age of the oldest log line that is not shipped. */
  | { readonly type: 'logs'; readonly lagMs: number }
  | { readonly type: 'finished'; readonly outcome: FinishOutcome }
  | { readonly type: 'event'; readonly event: RuntimeEvent }
  /** Sent every 20 s: a daemon that is silent for a minute hangs. */
  | { readonly type: 'alive' };

/** Names the variable in which the supervisor hands the query server what only the query program may have: JSON. */
export const PROGRAM_ENV = 'RUNTIME_PROGRAM_ENV';
/** Names the one with what is not UTF-8 in the container's environment, each variable in hex: Node cannot pass it on. */
export const PROGRAM_BYTES = 'RUNTIME_PROGRAM_BYTES';

export type ToQueryServer =
  /** Told first: the events that say so may be long gone. */
  | {
      readonly type: 'life';
      /** Of the container; RFC 3339, UTC. */
      readonly startedAt: string;
      readonly botPid: number | undefined;
      /** Undefined: a sidecar has taken it. */
      readonly generation: number | undefined;
    }
  /** A server that is started again gets the same events with the same ids: readers resume where they were. */
  | { readonly type: 'event'; readonly id: number; readonly event: RuntimeEvent }
  | { readonly type: 'published'; readonly report: PublishReport }
  /** Age of the oldest log line that is not shipped. */
  | { readonly type: 'logs'; readonly lagMs: number }
  | { readonly type: 'bot'; readonly running: boolean }
  /** Answers `publish`. */
  | { readonly type: 'publish-done'; readonly id: string; readonly saved: SavedNow }
  | ToAgentServer
  | { readonly type: 'stop' };

export type FromQueryServer =
  | { readonly type: 'ready'; readonly port: number }
  /** The query program's process group, which ends with the server and with the supervisor; undefined: it has ended. */
  | { readonly type: 'program'; readonly pid: number | undefined }
  | FromAgentServer
  /** Somebody outside waits until the state is saved as it is now: answered by `publish-done`. */
  | { readonly type: 'publish'; readonly id: string }
  | { readonly type: 'event'; readonly event: RuntimeEvent };
