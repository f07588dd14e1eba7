import type { Writable } from 'node:stream';

/**
 * The room of disks as the store has them: of sandboxes that run and of those that do not. A disk is a bot's state, so each of its publishes is a
 * snapshot; one that is kept is a state of its own, which outlives the others and the sandbox (`Disks.keep`).
 */
export interface Disks {
  /** Those that the state still has, oldest first; none where nothing has been saved yet. */
  snapshots(state: string, signal: AbortSignal): Promise<readonly SavedSnapshot[]>;
  /** `sequence` undefined: the newest. Throws `not-found`. */
  open(state: string, sequence: number | undefined, signal: AbortSignal): Promise<SavedDisk>;
  /** Makes a snapshot of a state the first one of another, which is not there yet. Safe to repeat. Throws `not-found`. */
  keep(state: string, sequence: number, as: string, signal: AbortSignal): Promise<void>;
  /** Takes a state away. Safe to repeat. */
  drop(state: string, signal: AbortSignal): Promise<void>;
}

export interface SavedSnapshot {
  readonly sequence: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly files: number;
  readonly bytes: number;
}

/** What was on a disk. Paths are relative to its root, which is `''`. */
export interface SavedDisk {
  readonly snapshot: SavedSnapshot;
  entry(path: string): SavedEntry | undefined;
  /** What a folder holds. Throws `not-found`, and `conflict` for what is none. */
  list(path: string): readonly SavedEntry[];
  /** The bytes of a file, each block verified. Throws as `list`. */
  read(path: string, signal: AbortSignal): AsyncIterable<Buffer>;
  /** A folder as tar.gz, named from there. `output` is not ended. */
  archive(path: string, output: Writable, signal: AbortSignal): Promise<void>;
}

export interface SavedEntry {
  readonly path: string;
  readonly type: 'file' | 'folder' | 'link';
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
  /** Milliseconds. */
  readonly modifiedAt: number;
  readonly target: string | undefined;
}
