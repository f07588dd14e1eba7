const MAX_LINE_BYTES = 4096;

/** Takes the bytes of a body, which stay as they are. */
export interface ByteSink {
  push(bytes: Buffer): void;
}

/** Takes a chunked body apart as it arrives. Lines end with CRLF or LF; extensions and trailers are read over. */
export class ChunkedDecoder {
  readonly #body: ByteSink;
  #state: 'size' | 'data' | 'data-end' | 'trailers' = 'size';
  #line = '';
  /** Bytes of the current chunk that are still to come. */
  #left = 0;

  constructor(body: ByteSink) {
    this.#body = body;
  }

  /** How many bytes follow the body once it is whole; undefined: more is to come; `damaged`: it never will be. */
  push(bytes: Buffer): number | 'damaged' | undefined {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'data') {
        at = this.#takeData(bytes, at);
        continue;
      }
      const end = bytes.indexOf(10, at);
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
      if (this.#line.length > MAX_LINE_BYTES) return 'damaged';
      if (end < 0) return undefined;
      at = end + 1;
      const outcome = this.#takeLine(this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line);
      this.#line = '';
      if (outcome === 'damaged') return outcome;
      if (outcome === 'done') return bytes.length - at;
    }
    return undefined;
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#body.push(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#state = 'data-end';
    return end;
  }

  #takeLine(line: string): 'done' | 'damaged' | 'more' {
    if (this.#state === 'trailers') return line === '' ? 'done' : 'more';
    if (this.#state === 'data-end') {
      this.#state = 'size';
      return line === '' ? 'more' : 'damaged';
    }
    const size = /^([0-9a-f]{1,8})\s*(;.*)?$/i.exec(line)?.[1];
    if (size === undefined) return 'damaged';
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return 'more';
  }
}
