import type { Owner } from '../../../base/owner.ts';
import type { BlobTable } from '../format/blobTable.ts';
import type { StateContext } from '../format/context.ts';
import type { FileJob } from '../local/fileJob.ts';
import { fetchRanges, type Range, rangeUnpacker } from '../read/fetchBlobs.ts';
import type { RangeJob } from './rangeWriter.ts';
import { startRangeWriter } from './startRangeWriter.ts';

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

const WRITERS = 2;

/**
 * Fetches the blobs of `rows` and writes them. Other threads verify and write: this one has the network, and so much on its heap that
 * each megabyte of garbage beside it costs a look at all of that. What they give up is done again here.
 */
export async function writeBlobs(
  context: StateContext,
  table: BlobTable,
  rows: readonly number[],
  target: BlobTarget,
  signal: AbortSignal,
): Promise<void> {
  const unpackRange = rangeUnpacker(context, table);
  const writers = Array.from({ length: WRITERS }, () => startRangeWriter(target.owner));
  const write = async (range: Range, bytes: Buffer, isAgain: boolean) => {
    // What was written of it before is known here only.
    const alive = isAgain ? [] : writers.filter(({ isGone }) => !isGone);
    const [writer] = alive.sort((a, b) => a.waiting - b.waiting);
    const job = writer && jobOf(table, range, bytes, target);
    if (job && (await writer.run(job))) {
      for (const row of rowsOf(range)) target.received(row);
      return;
    }
    if (job) for (const row of rowsOf(range)) target.discard(row);
    unpackRange(range, bytes, (row, blob) => target.receive(row, blob));
  };
  try {
    await fetchRanges(context, table, rows, write, { signal, isShared: true });
  } finally {
    await Promise.all(writers.map((writer) => writer.close()));
  }
}

function jobOf(table: BlobTable, range: Range, bytes: Buffer, target: BlobTarget): RangeJob | undefined {
  const frames = range.frames.map(({ frame: { offset, stored, size }, rows }) => ({
    at: bytes.byteOffset + offset - range.start,
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
