import { isMemoryTight } from '../../../base/isMemoryTight.ts';
import type { BlobTable, Frame } from '../format/blobTable.ts';
import { BLOCK_BYTES, keys, PACK_BYTES } from '../format/format.ts';
import type { FilledFrame } from './frameQueue.ts';
import type { PublishContext } from './uploads.ts';

export interface PackUploadsOptions {
  readonly signal: AbortSignal;
}

interface OpenPack {
  readonly buffer: Buffer<ArrayBuffer>;
  length: number;
  readonly frames: (Omit<Frame, 'pack'> & Pick<FilledFrame, 'parts'>)[];
}

interface Room {
  /** A pack is sealed once it holds this much. */
  readonly packBytes: number;
  readonly uploadsAtOnce: number;
}

const wide: Room = { packBytes: PACK_BYTES, uploadsAtOnce: 2 };
const narrow: Room = { packBytes: BLOCK_BYTES, uploadsAtOnce: 1 };

/** Fills packs with frames as they are stored, and uploads each full one while the next fills. */
export class PackUploads {
  bytes = 0;
  readonly #context: PublishContext;
  readonly #table: BlobTable;
  readonly #options: PackUploadsOptions;
  /** Rows of packs that could not be put. */
  readonly #lost: number[] = [];
  readonly #placing = new Set<Promise<string>>();
  readonly #running = new Set<Promise<void>>();
  readonly #free: Buffer<ArrayBuffer>[] = [];
  readonly #room = isMemoryTight() ? narrow : wide;
  #open: OpenPack | undefined;
  #failure: unknown;

  constructor(context: PublishContext, table: BlobTable, options: PackUploadsOptions) {
    this.#context = context;
    this.#table = table;
    this.#options = options;
  }

  /** Throws what an upload has failed with. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#options.signal.throwIfAborted();
  }

  async append({ bytes, parts }: FilledFrame, body: Buffer): Promise<void> {
    if (this.#open && this.#open.length + body.length > this.#open.buffer.length) this.seal();
    while (!this.#open && this.#running.size >= this.#room.uploadsAtOnce) await Promise.race(this.#running);
    this.check();
    this.#open ??= { buffer: this.#buffer(body.length), length: 0, frames: [] };
    const { buffer, length, frames } = this.#open;
    body.copy(buffer, length);
    frames.push({ offset: length, stored: body.length, size: bytes.length, parts });
    this.#open.length += body.length;
    if (this.#open.length >= this.#room.packBytes) this.seal();
  }

  seal(): void {
    if (!this.#open) return;
    const pack = this.#open;
    this.#open = undefined;
    const placing = this.#place(pack);
    this.#placing.add(placing);
    const upload = placing
      .then((placed) => this.#upload(pack, placed))
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#running.delete(upload);
        this.#placing.delete(placing);
        this.#free.push(pack.buffer);
      });
    this.#running.add(upload);
  }

  /** Every blob that was added has a place, when this resolves; whether the store has it is another matter. */
  async placed(): Promise<void> {
    await Promise.all(this.#placing).catch(() => {});
    this.check();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#running);
    // The next publish must not refer to what this one has not brought there; this one may be at it until now.
    for (const row of this.#lost.splice(0)) this.#table.displace(row);
  }

  /** Room for a pack that stays below its size until the last frame, or for one frame that is larger (a segment). */
  #buffer(atLeast: number): Buffer<ArrayBuffer> {
    const size = this.#room.packBytes + BLOCK_BYTES;
    return atLeast > size
      ? Buffer.allocUnsafeSlow(atLeast)
      : (this.#free.pop() ?? Buffer.allocUnsafeSlow(size));
  }

  /** Before the store has it: segments that name these places go up at the same time. Returns the pack's name. */
  async #place({ buffer, length, frames }: OpenPack): Promise<string> {
    // On the thread pool: the main thread has files to read.
    const digest = await crypto.subtle.digest('SHA-256', buffer.subarray(0, length));
    const hash = Buffer.from(digest).toString('hex');
    const pack = this.#table.addPack({ hash, size: length });
    for (const { parts, ...frame } of frames) {
      const number = this.#table.addFrame({ pack, ...frame });
      for (const { row, position } of parts) this.#table.place(row, number, position);
    }
    return hash;
  }

  async #upload({ buffer, length, frames }: OpenPack, hash: string): Promise<void> {
    const { uploads, bot } = this.#context;
    try {
      await uploads.put(keys.pack(bot, hash), buffer.subarray(0, length), hash, this.#options.signal);
      this.bytes += length;
    } catch (error) {
      for (const { parts } of frames) for (const { row } of parts) this.#lost.push(row);
      throw error;
    }
  }
}
