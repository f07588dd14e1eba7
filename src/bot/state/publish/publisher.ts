import type { Owner } from '../../../base/owner.ts';
import type { Limits } from '../format/limits.ts';
import type { Freezer } from './freezer.ts';
import type { PublishReport } from './publishReport.ts';

/*
 * From a tree to a snapshot.
 *
 * A *picture* is what is known of a tree that may be changing; a *capture* is one that is complete. A *target* says where blobs are
 * to lie: small states in the head, others in packs. A *frame* is what is compressed as one, a *pack* what is uploaded as one.
 *
 *  1. `directoryPublisher` remembers what was published last (`Published`), or reads it once (`loadBase`).
 *  2. `publishOnce` looks at the tree (`Picture`). Nothing differs: that was all.
 *  3. `chooseTarget`: head or packs, and which blobs can stay where they are (`forgetPacks`: not those in packs that are hardly used).
 *  4. `capture` reads what differs until nothing moves any more, at last with the bot standing still; blobs go to a `PackWriter`.
 *  5. `placeSnapshot` brings the rest to where it is to lie: packs, segments, manifest, in this order.
 *  6. `nextHead` is the head with the new snapshot and without those that are too many.
 *  7. `Uploads.confirm`: the store is asked for all that was put.
 *  8. `HeadKeeper.move` makes it the head, unless another instance has taken over. A head that is gone is put back, and this begins anew.
 */

export interface PublisherOptions {
  /** As restored for this claim. */
  readonly dir: string;
  readonly limits: Limits;
  /** Whom the files belong to; undefined: us. */
  readonly owner?: Owner | undefined;
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
  /**
   * Throws `fenced` when another instance has taken over. False: what was published last is not known to be there any more, as the
   * head was gone; the next publish finds out.
   */
  checkGeneration(options: { readonly signal: AbortSignal }): Promise<boolean>;
  close(): void;
}
