import { availableParallelism } from 'node:os';
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

/** A thread that starts while an archive is still on its way, and unpacks half of it. */
export interface SecondThread {
  /** All jobs, by this thread (`doHere`) and by the other one. Throws what `doHere` throws. */
  share<Job extends ZipJob>(
    jobs: readonly Job[],
    doHere: (job: Job) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  close(): void;
}

/** Below this the thread's own start, some 15 ms of CPU, is more than it saves. Bytes. */
const WORTHWHILE_BYTES = 4 * 1024 * 1024;
/** Whether an archive of so many bytes is better unpacked by two threads on this machine. */
export const isWorthwhile = (bytes: number): boolean =>
  bytes >= WORTHWHILE_BYTES && availableParallelism() > 1;
