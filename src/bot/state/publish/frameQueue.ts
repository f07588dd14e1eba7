import { BLOCK_BYTES } from '../format/format.ts';

/** Blobs one after the other, to be stored as one. */
export interface FilledFrame {
  readonly bytes: Buffer;
  readonly parts: readonly FramePart[];
}

export interface FramePart {
  readonly row: number;
  readonly position: number;
  readonly size: number;
}

interface OpenFrame {
  readonly buffer: Buffer;
  length: number;
  readonly parts: FramePart[];
}

/**
 * Gathers blobs in frames of up to a block: compressing a small blob by itself costs ten times as much as compressing it
 * together with others, and packs it worse. Buffers are used again: new ones would keep the garbage collector busy.
 */
export class FrameQueue {
  /** Bytes in frames that have not been released. */
  bytes = 0;
  readonly #free: Buffer[] = [];
  readonly #full: FilledFrame[] = [];
  #open: OpenFrame | undefined;

  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  /** Copies the bytes. */
  add(row: number, bytes: Uint8Array): void {
    const size = bytes.length;
    this.bytes += size;
    if (size > BLOCK_BYTES) {
      this.#full.push({ bytes: Buffer.from(bytes), parts: [{ row, position: 0, size }] });
      return;
    }
    if (this.#open && this.#open.length + size > BLOCK_BYTES) this.close();
    this.#open ??= {
      buffer: this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES),
      length: 0,
      parts: [],
    };
    const { buffer, length, parts } = this.#open;
    buffer.set(bytes, length);
    parts.push({ row, position: length, size });
    this.#open.length += size;
    if (this.#open.length === BLOCK_BYTES) this.close();
  }

  /** Nothing more comes into the last frame. */
  close(): void {
    if (!this.#open) return;
    const { buffer, length, parts } = this.#open;
    this.#open = undefined;
    this.#full.push({ bytes: buffer.subarray(0, length), parts });
  }

  /** The first full one; to be released when its bytes are no longer needed. */
  take(): FilledFrame | undefined {
    return this.#full.shift();
  }

  release({ bytes }: FilledFrame): void {
    this.bytes -= bytes.length;
    if (bytes.buffer.byteLength === BLOCK_BYTES) this.#free.push(Buffer.from(bytes.buffer));
  }

  /** All that has not been taken, by row; the queue is empty then. */
  drain(): Map<number, Buffer> {
    this.close();
    const drained = new Map<number, Buffer>();
    for (const { bytes, parts } of this.#full.splice(0)) {
      this.bytes -= bytes.length;
      for (const { row, position, size } of parts)
        drained.set(row, bytes.subarray(position, position + size));
    }
    return drained;
  }
}
