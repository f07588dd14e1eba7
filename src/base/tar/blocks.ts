import { TarError } from './tarError.ts';

export const BLOCK = 512;

/** A stream of bytes, taken by length. */
export class Blocks {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes; undefined at the end of the stream. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const piece = await this.#piece(missing);
      if (!piece && parts.length === 0) return undefined;
      if (!piece) throw new TarError('it is truncated');
      parts.push(piece);
      missing -= piece.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
  }

  /** `length` bytes in pieces as they come. */
  async *pieces(length: number): AsyncGenerator<Buffer> {
    for (let missing = length; missing > 0; ) {
      const piece = await this.#piece(missing);
      if (!piece) throw new TarError('it is truncated');
      missing -= piece.length;
      yield piece;
    }
  }

  /** Ends the stream early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #piece(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}
