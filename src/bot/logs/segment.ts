import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The room of the logs: from the journal on this disk to one object per day in the store.
 *
 *   frame, segment   the journal: captured bytes with a header, in files of 10 MiB, at most three of them. The supervisor writes
 *                    them (src/agent/supervisor/capture)
 *   ship/            the daemon reads them and ships: a batch of whole lines of one day (`readBatch`), as NDJSON (`encodeLine`),
 *                    behind that day's object (`dayObject`). What is about to be written is recorded first (`shipRecord`), so that
 *                    a crash neither loses a line nor ships it twice
 *   shipped/         the way back, for `runtime logs`: lines of the days' objects
 *
 * A position is counted in bytes and lines from the journal's first byte. It outlives every file.
 */

/**
 * One file of the journal. Its name says where it begins, so a position in the journal outlives any file: offset in
 * bytes and number of lines, both counted from the journal's first byte.
 *
 * The writer makes segments and appends to the newest; the reader deletes those whose lines are shipped, never the
 * newest. Only when there are too many does the writer delete the oldest; the reader sees by the line numbers how many
 * lines it did not get to see.
 */
export interface Segment {
  readonly path: string;
  readonly offset: number;
  readonly lines: number;
}

/** Contract, section 7: local files are bounded, 10 MiB × 3. */
export const SEGMENT_BYTES = 10 * 1024 * 1024;
export const MAX_SEGMENTS = 3;

const pattern = /^(\d{15})-(\d{15})\.journal$/;

export function segmentAt(dir: string, offset: number, lines: number): Segment {
  const digits = (value: number) => String(value).padStart(15, '0');
  return { path: join(dir, `${digits(offset)}-${digits(lines)}.journal`), offset, lines };
}

/** Oldest first. */
export function listSegments(dir: string): Segment[] {
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [{ path: join(dir, name), offset: Number(match[1]), lines: Number(match[2]) }] : [];
    });
}

/** Touched by the writer with each new segment, so that a reader can wait for one without looking again and again. */
export function rotationMarker(dir: string): string {
  return join(dir, 'rotated');
}
