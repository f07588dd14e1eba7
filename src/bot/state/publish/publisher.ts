import type { Owner } from '../../../base/owner.ts';
import type { Limits } from '../format/limits.ts';
import type { LoadedSnapshot } from '../read/loadSnapshot.ts';
import type { Freezer } from './freezer.ts';
import type { PublishReport } from './publishReport.ts';

/*
 * The room of publishing: from a tree to a snapshot.
 *
 * A *picture* is what is known of a tree that may change meanwhile; a *capture* is a complete picture. A *target* says where blobs go:
 * those of small states into the head, others into packs. A *frame* is compressed as one, a *pack* is uploaded as one.
 *
 *  1. `directoryPublisher` remembers what was published last (`Published`), or reads it once (`loadBase`).
 *  2. `publishOnce` looks at the tree (`Picture`). Where nothing differs, the publish is over.
 *  3. `chooseTarget` chooses head or packs, and the blobs that stay where they are (`forgetPacks`: not those in packs that are hardly used).
 *  4. `capture` reads what differs until nothing changes any more, at last with the bot stopped. Blobs go to a `PackWriter`.
 *  5. `placeSnapshot` puts the rest: packs, segments, manifest, in this order.
 *  6. `nextHead` makes the head with the new snapshot and without the oldest beyond `STATE_KEEP`.
 *  7. `Uploads.confirm` asks the store for everything that was put.
 *  8. `HeadKeeper.move` writes the head, unless another instance has taken over. A head that is gone is put back, and the publish begins
 *     again.
 *  9. `findUnstamped` reads again, now and then and at the end, what may have changed without a time stamp: then 2 to 8 follow once more.
 */

export interface PublisherOptions {
  /** As restored for this claim. */
  readonly dir: string;
  readonly limits: Limits;
  /** The owner of the files; undefined: this process's user. */
  readonly owner?: Owner | undefined;
  /** Snapshots that the head names; at least 1. */
  readonly keep: number;
  /** Absent: the bot is never stopped (`STATE_FREEZE=off`). */
  readonly freezer: Freezer | undefined;
  /** Also keep `<bot>/state.tar.gz` current. */
  readonly exportTarGz?: boolean;
  /** The snapshot in `dir`, by whom it was restored; it is read again where it is not given. */
  readonly restored?: LoadedSnapshot | undefined;
}

export interface PublishOptions {
  readonly signal: AbortSignal;
  /** The bot has ended: no process writes to the state any more. */
  readonly still?: boolean;
  /** Somebody relies on it: what no time stamp shows is saved as well, which other publishes do every 30 s. Default: `still`. */
  readonly complete?: boolean;
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
   * Throws `fenced` where another instance has taken over. False: the head was gone, and the last snapshot may be, too; the next publish
   * finds out.
   */
  checkGeneration(options: { readonly signal: AbortSignal }): Promise<boolean>;
  /** Puts the marker right where the bot has removed or changed it: without it the next start would not know this tree. Never throws. */
  keepMarker(): void;
  close(): void;
}
