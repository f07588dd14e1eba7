import { RuntimeError } from '../../../base/errors.ts';
import type { BlobTable, Frame } from './blobTable.ts';

/** A frame as JSON carries it: the number of its pack, its offset there, its stored length, its length. */
export type FrameRow = readonly [pack: number, offset: number, stored: number, size: number];

/** `packs`: how many packs the row may refer to; `limit`: bytes that it may unpack to. */
export function decodeFrame(row: unknown, packs: number, limit: number): Frame {
  if (Array.isArray(row) && row.length === 4 && row.every(isCount)) {
    const [pack, offset, stored, size] = row as unknown as FrameRow;
    if (pack < packs && stored > 0 && stored <= size && size <= limit) {
      return { pack, offset, stored, size };
    }
  }
  throw new RuntimeError('damaged', `not a frame: ${JSON.stringify(row)?.slice(0, 200)}`, {
    op: 'state.read',
  });
}

interface Blob {
  readonly hash: Buffer;
  readonly size: number;
}

/** Row of the blob with this hash in `table`. Throws `damaged` when it is known with another size. */
export function addBlob(table: BlobTable, { hash, size }: Blob): number {
  const row = table.find(hash) ?? table.add(hash, size);
  if (table.size(row) === size) return row;
  throw new RuntimeError('damaged', 'a blob is said to have two sizes', { op: 'state.read' });
}

/** The same, placed unless it has a place. Throws `damaged` where it cannot lie. */
export function placeBlob(table: BlobTable, blob: Blob, frame: number, position: number): number {
  const row = addBlob(table, blob);
  if (position + blob.size > table.frames[frame]!.size) {
    throw new RuntimeError('damaged', 'a blob has an impossible place', { op: 'state.read' });
  }
  if (!table.frame(row)) table.place(row, frame, position);
  return row;
}

export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
