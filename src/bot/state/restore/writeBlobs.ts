import type { Owner } from '../../../base/owner.ts';
import { garbageCollector } from '../../../base/releaseMemory.ts';
import type { BlobTable } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import type { FileJob } from '../local/fileJob.ts';
import { fetchRanges, type Range, unpackRange } from '../read/fetchBlobs.ts';
import type { RangeJob } from './secondWriter.ts';
import { startSecondWriter } from './startSecondWriter.ts';

/** What is made of the blobs. */
export interface BlobTarget {
  readonly owner: Owner | undefined;
  /** Writes a verified blob wherever it is used; the bytes are its own until it returns. */
  receive(row: number, bytes: Buffer): void;
  /** The same as jobs for another thread; undefined where that cannot do it. */
  jobsFor(row: number): FileJob[] | undefined;
  /** The other thread has written it. */
  received(row: number): void;
  /** The other thread may have written it, and it is to be written anew. */
  discard(row: number): void;
}

/**
 * Fetches the blobs of `rows` and writes them. A second thread verifies and writes every range that it has time for,
 * and this one the others: so both are busy however fast each is. What the second gives up is done again here.
 */
export async function writeBlobs(
  context: StateContext,
  table: BlobTable,
  rows: readonly number[],
  target: BlobTarget,
  signal: AbortSignal,
): Promise<void> {
  const second = startSecondWriter(target.owner);
  const collect = garbageCollector();
  const write = async (range: Range, bytes: Buffer) => {
    // What came from the network for it.
    collect({ type: 'minor' });
    const job = second.isFree ? jobOf(table, range, bytes, target) : undefined;
    if (job && (await second.write(job))) {
      for (const row of rowsOf(range)) target.received(row);
      return;
    }
    if (job) for (const row of rowsOf(range)) target.discard(row);
    unpackRange(context, table, range, bytes, (row, blob) => target.receive(row, blob));
    collect({ type: 'minor' });
  };
  try {
    await fetchRanges(context, table, rows, write, { signal, isShared: true });
  } finally {
    await second.close();
  }
}

function jobOf(table: BlobTable, range: Range, bytes: Buffer, target: BlobTarget): RangeJob | undefined {
  const frames = range.frames.map(({ frame: { offset, stored, size }, rows }) => ({
    at: offset - range.start,
    stored,
    size,
    blobs: rows.map((row) => ({
      position: table.position(row),
      size: table.size(row),
      sha256: table.hash(row).toString('hex'),
      files: target.jobsFor(row),
    })),
  }));
  // One path that is too long for it, and the range is ours.
  const isComplete = frames.every(({ blobs }) => blobs.every(({ files }) => files));
  return isComplete ? ({ memory: bytes.buffer, frames } as unknown as RangeJob) : undefined;
}

const rowsOf = ({ frames }: Range): number[] => frames.flatMap(({ rows }) => rows);
