import { availableParallelism } from 'node:os';
import type { JobThread } from '../../../base/jobThread.ts';
import type { FileJob } from '../local/fileJob.ts';

/** A range of a pack, in memory that threads share, and what is to be written of it. */
export interface RangeJob {
  readonly memory: SharedArrayBuffer;
  readonly frames: readonly FrameJob[];
}

export interface FrameJob {
  /** Where in the memory it begins, bytes. */
  readonly at: number;
  readonly stored: number;
  readonly size: number;
  readonly blobs: readonly BlobJob[];
}

export interface BlobJob {
  readonly position: number;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly files: readonly FileJob[];
}

/** A thread that verifies and writes what was fetched. */
export type RangeWriter = JobThread<RangeJob>;

/** Below this the threads' own start, some 15 ms of CPU each, is more than they save. Bytes. */
const WORTHWHILE_BYTES = 16 * 1024 * 1024;
/** They hold some 70 MiB more at the peak: not where a small container would end for it. Bytes. */
const ROOM_BYTES = 512 * 1024 * 1024;

/** `limit`: of this container's memory, bytes; 0: none. */
export const isWorthwhile = (bytes: number, limit = process.constrainedMemory()): boolean =>
  bytes >= WORTHWHILE_BYTES && availableParallelism() > 1 && (limit === 0 || limit >= ROOM_BYTES);
