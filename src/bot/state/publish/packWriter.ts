import { collectAsItComes } from '../../../base/collectAsItComes.ts';
import { isMemoryTight } from '../../../base/isMemoryTight.ts';
import { pack } from '../format/blob.ts';
import type { BlobTable } from '../format/blobTable.ts';
import type { BlobSink } from '../local/readBlocks.ts';
import { type FilledFrame, FrameQueue } from './frameQueue.ts';
import { PackUploads } from './packUploads.ts';
import type { PublishContext } from './uploads.ts';

export interface PackWriterOptions {
  readonly signal: AbortSignal;
  /** Whether the snapshot that is being written can refer to this row as it is. */
  readonly usable: (row: number) => boolean;
}

interface Room {
  /** Unpacked bytes that may wait before readers are held back. */
  readonly waitingBytes: number;
  /** The same while nothing can be packed. */
  readonly heldBytes: number;
  /** Each costs the compressor's tables, about a megabyte. */
  readonly compressedAtOnce: number;
}

const wide: Room = { waitingBytes: 8 * 1024 * 1024, heldBytes: 48 * 1024 * 1024, compressedAtOnce: 4 };
const narrow: Room = { waitingBytes: 1024 * 1024, heldBytes: 6 * 1024 * 1024, compressedAtOnce: 1 };

/**
 * Takes blobs, and puts those that the store does not have into packs: compressed on the thread pool while the next
 * ones are read, uploaded while the next pack fills. Memory stays within a few packs as long as callers await `ready`.
 */
export class PackWriter implements BlobSink {
  readonly #table: BlobTable;
  readonly #options: PackWriterOptions;
  readonly #uploads: PackUploads;
  readonly #queue = new FrameQueue();
  /** Rows that came through here, wherever they are now. */
  readonly #own = new Set<number>();
  readonly #room = isMemoryTight() ? narrow : wide;
  readonly #passed = collectAsItComes();
  #packing: Promise<void> | undefined;
  #hasPacked = false;
  /** Packing of one frame. */
  #step: Promise<void> | undefined;

  constructor(context: PublishContext, table: BlobTable, options: PackWriterOptions) {
    this.#table = table;
    this.#options = options;
    this.#uploads = new PackUploads(context, table, options);
  }

  get uploadedBytes(): number {
    return this.#uploads.bytes;
  }

  /** Whether the snapshot can refer to this row as it is. */
  get usable(): (row: number) => boolean {
    return this.#options.usable;
  }

  /** Whether more waits than may while nothing can be packed. */
  get isOverfull(): boolean {
    return this.#queue.bytes > this.#room.heldBytes;
  }

  /** Whether this row came through here. */
  has(row: number): boolean {
    return this.#own.has(row);
  }

  add(hash: Buffer, bytes: Uint8Array): number {
    const known = this.#table.find(hash);
    if (known !== undefined && (this.#own.has(known) || this.#options.usable(known))) return known;
    const row = this.#table.add(hash, bytes.length);
    this.#own.add(row);
    this.#queue.add(row, bytes);
    // Until a frame is full, all of it may yet turn out to fit into the head.
    if (this.#queue.hasFull) void this.#startPacking();
    return row;
  }

  /** All that came through here, by row, for an inline snapshot to carry; undefined once some of it has gone into packs. */
  takeAll(): Map<number, Buffer> | undefined {
    return this.#hasPacked ? undefined : this.#queue.drain();
  }

  /** Resolves when more may be added. */
  async ready(): Promise<void> {
    while (this.#queue.bytes > this.#room.waitingBytes) {
      void this.#startPacking();
      await this.#step;
      this.#uploads.check();
    }
    this.#uploads.check();
  }

  /** Everything added so far has its place in a pack, and is on its way there, when this resolves. */
  async placeAll(): Promise<void> {
    this.#queue.close();
    while (this.#queue.hasFull) await this.#startPacking();
    await this.#packing;
    this.#uploads.seal();
    await this.#uploads.placed();
  }

  /** Everything added so far is in the store when this resolves. */
  async finish(): Promise<void> {
    await this.placeAll();
    await this.#uploads.settle();
    this.#uploads.check();
  }

  /** Waits for what is under way; after a failure nothing may go on behind the caller's back. */
  async settle(): Promise<void> {
    await this.#packing?.catch(() => {});
    await this.#uploads.settle();
  }

  #startPacking(): Promise<void> {
    this.#hasPacked = true;
    this.#packing ??= this.#pack().finally(() => {
      this.#packing = undefined;
    });
    // Awaited by `ready` or `finish`, or looked at by `settle`.
    this.#packing.catch(() => {});
    return this.#packing;
  }

  async #pack(): Promise<void> {
    const started: { readonly frame: FilledFrame; readonly body: Promise<Buffer> }[] = [];
    for (;;) {
      while (started.length < this.#room.compressedAtOnce) {
        const frame = this.#queue.take();
        if (!frame) break;
        const body = pack(frame.bytes);
        // Awaited in its turn, unless one before it fails.
        body.catch(() => {});
        started.push({ frame, body });
      }
      const next = started.shift();
      if (!next) return;
      this.#step = next.body.then((body) => this.#uploads.append(next.frame, body));
      await this.#step;
      this.#queue.release(next.frame);
      this.#passed(next.frame.bytes.length);
    }
  }
}
