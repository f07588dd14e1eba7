/** Bytes that arrive in pieces, in one growing buffer: a million pieces of one byte cost no more than one of a million. */
export class ByteBuilder {
  #buffer: Buffer | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A first piece is kept as it is, not copied; it must not change. */
  push(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (this.#buffer === undefined) this.#buffer = piece;
    else {
      if (length > this.#buffer.length) this.#buffer = grown(this.#buffer, this.#length, length);
      piece.copy(this.#buffer, this.#length);
    }
    this.#length = length;
  }

  bytes(): Buffer {
    return this.#buffer?.subarray(0, this.#length) ?? Buffer.alloc(0);
  }
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(needed, 2 * buffer.length));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
