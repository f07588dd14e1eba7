import { type ByteSink, ChunkedDecoder } from '../../../base/chunkedDecoder.ts';
import { findHeadEnd } from '../../../base/findHeadEnd.ts';
import { type AnswerHead, parseAnswerHead, protocolError } from './answerHead.ts';

const MAX_HEAD_BYTES = 64 * 1024;

export interface AnswerEvents {
  onHead(head: AnswerHead): void;
  onBody(bytes: Buffer): void;
  /** The answer is whole. `isLast`: the connection is of no further use. */
  onEnd(isLast: boolean): void;
}

/** Takes one HTTP/1 answer apart as its bytes arrive. */
export class AnswerReader {
  readonly #method: string;
  readonly #events: AnswerEvents;
  #start: Buffer = Buffer.alloc(0);
  #head: AnswerHead | undefined;
  /** Bytes of the body that are still to come, where its length is known. */
  #left = 0;
  #chunks: ChunkedDecoder | undefined;

  constructor(method: string, events: AnswerEvents) {
    this.#method = method;
    this.#events = events;
  }

  /** Throws `protocolError`. Not to be called after `onEnd`. */
  push(bytes: Buffer): void {
    if (this.#head) {
      this.#pushBody(this.#head, bytes);
      return;
    }
    let rest = this.#start.length === 0 ? bytes : Buffer.concat([this.#start, bytes]);
    for (;;) {
      const end = findHeadEnd(rest);
      if ((end ?? rest.length) > MAX_HEAD_BYTES)
        throw protocolError('HPE_HEADER_OVERFLOW', 'too large a head');
      if (end === undefined) {
        this.#start = rest;
        return;
      }
      const head = parseAnswerHead(rest.toString('latin1', 0, end), this.#method);
      rest = rest.subarray(end);
      // 100 Continue and its like come before the answer.
      if (head.status >= 200) {
        this.#begin(head, rest);
        return;
      }
      if (head.status === 101) throw protocolError('HPE_INVALID_CONSTANT', 'another protocol');
    }
  }

  /** The connection has ended: whether that was the end of the answer, too. */
  end(): boolean {
    if (this.#head?.length !== 'until-close') return false;
    this.#events.onEnd(true);
    return true;
  }

  #begin(head: AnswerHead, bytes: Buffer): void {
    this.#head = head;
    if (typeof head.length === 'number') this.#left = head.length;
    const sink: ByteSink = { push: (piece) => this.#events.onBody(piece) };
    if (head.length === 'chunked') this.#chunks = new ChunkedDecoder(sink);
    this.#events.onHead(head);
    this.#pushBody(head, bytes);
  }

  #pushBody({ length, keepsAlive }: AnswerHead, bytes: Buffer): void {
    if (this.#chunks) {
      const extra = this.#chunks.push(bytes);
      if (extra === 'damaged') throw protocolError('HPE_INVALID_CHUNK_SIZE', 'damaged chunks');
      if (extra !== undefined) this.#events.onEnd(extra > 0 || !keepsAlive);
      return;
    }
    const piece = length === 'until-close' ? bytes : bytes.subarray(0, this.#left);
    if (piece.length > 0) this.#events.onBody(piece);
    if (length === 'until-close') return;
    this.#left -= piece.length;
    if (this.#left === 0) this.#events.onEnd(bytes.length > piece.length || !keepsAlive);
  }
}
