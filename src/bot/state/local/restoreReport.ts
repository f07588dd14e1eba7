import type { Owner } from '../../../base/owner.ts';
import type { LoadedSnapshot } from '../read/loadSnapshot.ts';
import type { LocalTree } from './localTree.ts';

export interface RestoreOptions {
  /** The state directory; made when it is missing. A mount point is fine, a symlink is refused. */
  readonly dir: string;
  /** Whom the files are given to; undefined: whoever we are. */
  readonly owner: Owner | undefined;
  /** Limits on the whole and on each file, in bytes. */
  readonly maxBytes: number;
  readonly maxFileBytes: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface RestoreProgress {
  /** Bytes of files that are in place, of all. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface RestoreReport {
  /** The snapshot that is there now; 0: none, the state is empty or comes from the older format. */
  readonly sequence: number;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of files that had to be fetched, and of files that were there already. */
  readonly fetchedBytes: number;
  readonly reusedBytes: number;
  /** The tree that was there is newer than what is saved, and was left as it is. */
  readonly kept: boolean;
  /** Set when the newest snapshot is damaged: the sequence of the one that was used instead. */
  readonly fellBackTo: number | undefined;
  /** From an older `state.tar.gz`. */
  readonly legacy: boolean;
}

/** … and where it is now. */
export interface Restored extends RestoreReport {
  readonly tree: LocalTree;
  /** What was read for it; undefined: nothing, or nothing that the next snapshot is compared with. */
  readonly snapshot: LoadedSnapshot | undefined;
}

export const nothing: RestoreReport = {
  sequence: 0,
  files: 0,
  bytes: 0,
  fetchedBytes: 0,
  reusedBytes: 0,
  kept: false,
  fellBackTo: undefined,
  legacy: false,
};
