import type { BlobTable, Frame } from './blobTable.ts';
import type { FrameRow } from './frameRow.ts';

/** The frames and packs that a document's rows refer to, numbered in the order in which they are met. */
export class FrameRows {
  readonly frames: FrameRow[] = [];
  /** By their numbers in the table. */
  readonly packs: number[] = [];
  readonly #table: BlobTable;
  readonly #frameNumbers = new Map<Frame, number>();
  readonly #packNumbers = new Map<number, number>();

  constructor(table: BlobTable) {
    this.#table = table;
  }

  /** Number of `pack`. */
  packOf(pack: number): number {
    const known = this.#packNumbers.get(pack);
    if (known !== undefined) return known;
    const number = this.packs.push(pack) - 1;
    this.#packNumbers.set(pack, number);
    return number;
  }

  /** A blob, which must have its place: its hash, the number of its frame, where in it the blob begins. */
  blockOf(row: number): readonly [hash: string, frame: number, position: number] {
    const frame = this.#table.frame(row)!;
    return [this.#table.hash(row).toString('hex'), this.#frameOf(frame), this.#table.position(row)];
  }

  #frameOf(frame: Frame): number {
    const known = this.#frameNumbers.get(frame);
    if (known !== undefined) return known;
    const { pack, offset, stored, size } = frame;
    const number = this.frames.push([this.packOf(pack), offset, stored, size]) - 1;
    this.#frameNumbers.set(frame, number);
    return number;
  }
}
