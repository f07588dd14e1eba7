import { hash as digest } from 'node:crypto';
import { encodeBlob } from './blob.ts';
import type { BlobTable } from './blobTable.ts';
import type { StateContext } from './context.ts';
import { keys, PACK_BYTES } from './format.ts';
import type { BlobSink } from './readBlocks.ts';

/** Unpacked bytes that may wait before readers are held back. */
const WAITING_BYTES = 12 * 1024 * 1024;
const UPLOADS_AT_ONCE = 2;
const COMPRESSED_AT_ONCE = 4;

export interface PackWriterOptions {
  readonly signal: AbortSignal;
  /** Whether the snapshot that is being written can refer to this row as it is. */
  readonly usable: (row: number) => boolean;
  /** Told each time bytes have reached the store. */
  readonly onUploaded?: ((bytes: number) => void) | undefined;
}

interface Waiting {
  readonly row: number;
  readonly bytes: Buffer;
}

/**
 * Takes blobs, and puts those that the store does not have into packs: compressed on the thread pool, uploaded while
 * the next pack fills. Memory stays within a few packs as long as the caller awaits `ready`.
 */
export class PackWriter implements BlobSink {
  uploadedBytes = 0;
  readonly #context: StateContext;
  readonly #table: BlobTable;
  readonly #options: PackWriterOptions;
  /** Rows that came through here, wherever they are now. */
  readonly #own = new Set<number>();
  readonly #waiting = new Map<number, Waiting>();
  #waitingBytes = 0;
  #parts: { row: number; body: Buffer }[] = [];
  #partsBytes = 0;
  readonly #uploads = new Set<Promise<void>>();
  #failure: unknown;

  constructor(context: StateContext, table: BlobTable, options: PackWriterOptions) {
    this.#context = context;
    this.#table = table;
    this.#options = options;
  }

  add(hash: Buffer, bytes: Uint8Array): number {
    const known = this.#table.find(hash);
    if (known !== undefined && (this.#own.has(known) || this.#options.usable(known))) return known;
    const row = this.#table.add(hash);
    this.#own.add(row);
    this.#waiting.set(row, { row, bytes: Buffer.from(bytes) });
    this.#waitingBytes += bytes.length;
    return row;
  }

  /** Whether this row came through here. */
  has(row: number): boolean {
    return this.#own.has(row);
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Blobs that are in no pack yet, by row: what an inline snapshot carries itself. */
  takeWaiting(): Map<number, Buffer> {
    const taken = new Map([...this.#waiting.values()].map(({ row, bytes }) => [row, bytes]));
    this.#waiting.clear();
    this.#waitingBytes = 0;
    return taken;
  }

  /** Resolves when more may be added. */
  async ready(): Promise<void> {
    if (this.#waitingBytes > WAITING_BYTES) await this.#pack();
    while (this.#uploads.size >= UPLOADS_AT_ONCE) await Promise.race(this.#uploads);
    this.#check();
  }

  /** Everything added so far is in the store, verified, when this resolves. */
  async finish(): Promise<void> {
    await this.#pack();
    this.#seal();
    await Promise.all(this.#uploads);
    this.#check();
  }

  /** Waits for what is under way; after a failure nothing may go on behind the caller's back. */
  async settle(): Promise<void> {
    await Promise.all(this.#uploads);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#options.signal.throwIfAborted();
  }

  async #pack(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#check();
      const batch = [...this.#waiting.values()].slice(0, COMPRESSED_AT_ONCE);
      const bodies = await Promise.all(batch.map(({ bytes }) => encodeBlob(bytes)));
      for (const [i, { row, bytes }] of batch.entries()) {
        this.#waiting.delete(row);
        this.#waitingBytes -= bytes.length;
        this.#parts.push({ row, body: bodies[i]! });
        this.#partsBytes += bodies[i]!.length;
      }
      if (this.#partsBytes >= PACK_BYTES) this.#seal();
      while (this.#uploads.size > UPLOADS_AT_ONCE) await Promise.race(this.#uploads);
    }
  }

  #seal(): void {
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    const body = Buffer.concat(parts.map((part) => part.body));
    this.#parts = [];
    this.#partsBytes = 0;
    const upload = this.#upload(parts, body).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#uploads.add(upload);
    void upload.finally(() => this.#uploads.delete(upload));
  }

  async #upload(parts: { row: number; body: Buffer }[], body: Buffer): Promise<void> {
    const sha256 = digest('sha256', body);
    const { store, bot } = this.#context;
    await store.put(keys.pack(bot, sha256), body, { sha256, signal: this.#options.signal });
    // Only now: a row that has a place can be referred to, by this publish or by one that follows a failed one.
    const pack = this.#table.addPack({ hash: sha256, size: body.length });
    let offset = 0;
    for (const part of parts) {
      this.#table.place(part.row, pack, offset, part.body.length);
      offset += part.body.length;
    }
    this.uploadedBytes += body.length;
    this.#options.onUploaded?.(body.length);
  }
}
