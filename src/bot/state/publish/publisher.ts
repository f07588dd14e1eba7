import type { Limits } from '../format/limits.ts';
import type { Freezer } from './freezer.ts';
import type { PublishReport } from './publishReport.ts';

export interface PublisherOptions {
  /** As restored for this claim. */
  readonly dir: string;
  readonly limits: Limits;
  /** Snapshots that the head names; at least 1. */
  readonly keep: number;
  /** Absent: nothing is ever stopped (`STATE_FREEZE=off`). */
  readonly freezer: Freezer | undefined;
  /** Also keep `<bot>/state.tar.gz` current. */
  readonly exportTarGz?: boolean;
}

export interface PublishOptions {
  readonly signal: AbortSignal;
  /** Nobody writes to the state any more: the bot has ended. */
  readonly still?: boolean;
}

export interface Publisher {
  /** Does ahead of time what the first publish needs: the last snapshot's entries, the probe of the store. */
  prepare(options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Saves what has changed; undefined when nothing has. Not to be called twice at once. Throws `fenced` when another
   * instance has taken over; after any other error the last snapshot is untouched and a later call may succeed.
   */
  publish(options: PublishOptions): Promise<PublishReport | undefined>;
  /** Throws `fenced` when another instance has taken over. */
  checkGeneration(options: { readonly signal: AbortSignal }): Promise<void>;
  close(): void;
}
