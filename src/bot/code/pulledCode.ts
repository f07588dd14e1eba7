import type { Owner } from '../../base/owner.ts';
import type { ObjectStore } from '../../store/objectStore.ts';

export interface PullCodeOptions {
  readonly store: ObjectStore;
  readonly key: string;
  /** Hex; any other archive is refused. */
  readonly sha256?: string | undefined;
  /** Limit on the archive and on what it unpacks to. */
  readonly maxBytes: number;
  /** The code path. Made when it is missing. What is not from an earlier unpack stays, unless the archive has its name. */
  readonly into: string;
  /** Whom the code belongs to; set only where we are root. */
  readonly owner?: Owner | undefined;
  /** A directory for unpacked archives, shared between containers. */
  readonly cache?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Archives up to this many bytes are held in memory, larger ones in a file. */
  readonly inMemoryBytes: number;
  /** Told why a cache was not used. The pull succeeds all the same. */
  readonly warn: (message: string) => void;
}

export interface PulledCode {
  readonly files: number;
  /** Of all unpacked files together. */
  readonly bytes: number;
  /** Hex SHA-256 of the archive. */
  readonly sha256: string;
  readonly archiveBytes: number;
  /** Taken from the cache: the archive was not downloaded. */
  readonly cached: boolean;
}
