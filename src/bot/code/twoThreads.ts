import { availableParallelism } from 'node:os';
import type { JobThread } from '../../base/jobThread.ts';
import type { PlacedFile } from './placedFile.ts';

/** A file of a zip whose place in the tree is taken, not yet written. */
export interface ZipJob extends PlacedFile {
  /** Of its packed bytes in the archive. */
  readonly start: number;
  readonly packedSize: number;
  readonly size: number;
  readonly crc: number;
  readonly isStored: boolean;
}

/** A thread that starts while an archive is still on its way, and writes what the first one has no time for. */
export type SecondThread = JobThread<readonly ZipJob[]>;

/** Below this the thread's own start, some 15 ms of CPU, is more than it saves. Bytes. */
const WORTHWHILE_BYTES = 4 * 1024 * 1024;
/** Whether an archive of so many bytes is better unpacked by two threads on this machine. */
export const isWorthwhile = (bytes: number): boolean =>
  bytes >= WORTHWHILE_BYTES && availableParallelism() > 1;
