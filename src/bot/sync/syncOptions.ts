import type { Clock } from '../../base/clock.ts';
import type { RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../config/config.ts';
import type { EventSink } from '../events/event.ts';
import type { Shipper } from '../logs/ship/createShipper.ts';
import type { Publisher } from '../state/publish/publisher.ts';
import type { PublishReport } from '../state/publish/publishReport.ts';

export interface Finishing {
  readonly budgetMs: number | undefined;
  /** Whether the bot has ended well, so that what it leaves is saved; asked when its state is saved. */
  readonly endedWell: () => boolean;
}

/** What has become of a state that was to be saved at once. */
export interface SavedNow {
  /** Of the snapshot that holds it; 0: it is empty, and always was. */
  readonly sequence: number;
  /** Why it is not saved; undefined: it is, and verified. */
  readonly reason: string | undefined;
}

export interface SyncOptions {
  readonly config: Config;
  readonly publisher: Publisher;
  readonly shipper: Shipper;
  /** Ships what an agent's turns have cost. */
  readonly shipUsage?: (signal: AbortSignal) => Promise<void>;
  /** Removes what no kept snapshot needs; may be ended anywhere. */
  readonly prune: (signal: AbortSignal) => Promise<unknown>;
  /** Of the last snapshot when we started; 0: there is none. */
  readonly sequence: number;
  /** When the last byte went to or came from the store, milliseconds since the epoch. */
  readonly lastProgress: () => number;
  /** What a task leaves after a good end. */
  readonly saveOutputs: (signal: AbortSignal) => Promise<void>;
  /** Takes what saves the state at once, between two looks, as long as bytes move. */
  readonly onSaveable?: (save: () => Promise<SavedNow>) => void;
  /** Resolves when it is time for the final sync; with its budget in milliseconds, undefined: no limit. */
  readonly finishing: Promise<Finishing>;
  /** Whether no process writes any more when `finish` is called; a sidecar cannot know. */
  readonly botHasEnded: boolean;
  readonly emit: EventSink;
  /** Another instance has taken over: no state is saved any more, the logs still are. */
  readonly onFenced: (error: RuntimeError) => void;
  readonly onPublished: (summary: PublishReport) => void;
  /** So many bytes were worked on: they leave garbage, which somebody may want to give back. */
  readonly onWork: (bytes: number) => void;
  /** Age of the oldest log line that is not shipped, milliseconds. */
  readonly onLogLag: (lagMs: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}
