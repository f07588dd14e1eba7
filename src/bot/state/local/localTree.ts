/**
 * The tree that a restore has left, as those who restored it remember it. The marker beside the tree says the same, but
 * the bot can remove or forge that one.
 */
export interface LocalTree {
  /** Which directory it lies in. */
  readonly device: number;
  readonly inode: number;
  /** The snapshot that it came from; 0: from none. */
  readonly sequence: number;
  /** As in the marker. */
  readonly restoredAt: number;
}
