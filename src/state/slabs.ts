import { BLOCK_BYTES } from './format.ts';

export interface Held {
  readonly bytes: Buffer;
  release(): void;
}

interface Slab {
  readonly buffer: Buffer;
  used: number;
  holders: number;
}

/**
 * Copies of short-lived bytes, in buffers that are used again: thousands of buffers of their own would keep the
 * garbage collector busy and the process large.
 */
export class Slabs {
  readonly #free: Buffer[] = [];
  #open: Slab | undefined;

  hold(bytes: Uint8Array): Held {
    if (bytes.length > BLOCK_BYTES) return { bytes: Buffer.from(bytes), release: () => {} };
    if (!this.#open || this.#open.used + bytes.length > BLOCK_BYTES) this.#open = this.#next();
    const slab = this.#open;
    const copy = slab.buffer.subarray(slab.used, slab.used + bytes.length);
    copy.set(bytes);
    slab.used += bytes.length;
    slab.holders += 1;
    return { bytes: copy, release: () => this.#release(slab) };
  }

  #next(): Slab {
    const full = this.#open;
    if (full?.holders === 0) this.#free.push(full.buffer);
    return { buffer: this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES), used: 0, holders: 0 };
  }

  #release(slab: Slab): void {
    slab.holders -= 1;
    if (slab.holders === 0 && slab !== this.#open) this.#free.push(slab.buffer);
  }
}
