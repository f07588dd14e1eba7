import { Readable } from 'node:stream';
import type { ObjectBody } from '../store/objectStore.ts';
import type { BlobTable } from './blobTable.ts';
import type { StateContext } from './context.ts';
import { BLOCK_BYTES, keys, PACK_BYTES } from './format.ts';

export interface PackUploadsOptions {
  readonly signal: AbortSignal;
  readonly onUploaded?: ((bytes: number) => void) | undefined;
}

interface OpenPack {
  readonly buffer: Buffer<ArrayBuffer>;
  length: number;
  readonly parts: { readonly row: number; readonly offset: number; readonly length: number }[];
}

const UPLOADS_AT_ONCE = 2;
const PIECE_BYTES = 256 * 1024;

/** Fills packs with blobs as they are stored, and uploads each full one while the next fills. */
export class PackUploads {
  bytes = 0;
  readonly #context: StateContext;
  readonly #table: BlobTable;
  readonly #options: PackUploadsOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #free: Buffer<ArrayBuffer>[] = [];
  #open: OpenPack | undefined;
  #failure: unknown;

  constructor(context: StateContext, table: BlobTable, options: PackUploadsOptions) {
    this.#context = context;
    this.#table = table;
    this.#options = options;
  }

  /** Throws what an upload has failed with. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#options.signal.throwIfAborted();
  }

  async append(row: number, body: Buffer): Promise<void> {
    if (this.#open && this.#open.length + body.length > this.#open.buffer.length) this.seal();
    while (!this.#open && this.#running.size >= UPLOADS_AT_ONCE) await Promise.race(this.#running);
    this.check();
    this.#open ??= { buffer: this.#buffer(body.length), length: 0, parts: [] };
    const { buffer, length, parts } = this.#open;
    body.copy(buffer, length);
    parts.push({ row, offset: length, length: body.length });
    this.#open.length += body.length;
    if (this.#open.length >= PACK_BYTES) this.seal();
  }

  seal(): void {
    if (!this.#open) return;
    const pack = this.#open;
    this.#open = undefined;
    const upload = this.#upload(pack)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#running.delete(upload);
        this.#free.push(pack.buffer);
      });
    this.#running.add(upload);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Room for a pack that stays below its size until the last blob, or for one blob that is larger (a segment). */
  #buffer(atLeast: number): Buffer<ArrayBuffer> {
    const size = PACK_BYTES + BLOCK_BYTES;
    return atLeast > size
      ? Buffer.allocUnsafeSlow(atLeast)
      : (this.#free.pop() ?? Buffer.allocUnsafeSlow(size));
  }

  async #upload({ buffer, length, parts }: OpenPack): Promise<void> {
    const body = buffer.subarray(0, length);
    // On the thread pool: the main thread has files to read.
    const sha256 = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('hex');
    const { store, bot } = this.#context;
    const { signal, onUploaded } = this.#options;
    await store.put(keys.pack(bot, sha256), onUploaded ? told(body, onUploaded) : body, { sha256, signal });
    // Only now: a row that has a place can be referred to, by this publish or by one that follows a failed one.
    const pack = this.#table.addPack({ hash: sha256, size: length });
    for (const part of parts) this.#table.place(part.row, pack, part.offset, part.length);
    this.bytes += length;
  }
}

/** Piece by piece: on a slow line one pack alone takes longer than anybody waits without a sign of life. */
function told(body: Buffer, onUploaded: (bytes: number) => void): ObjectBody {
  function* pieces() {
    for (let at = 0; at < body.length; at += PIECE_BYTES) {
      const piece = body.subarray(at, at + PIECE_BYTES);
      yield piece;
      onUploaded(piece.length);
    }
  }
  return { size: body.length, open: () => Readable.from(pieces(), { objectMode: false }) };
}
