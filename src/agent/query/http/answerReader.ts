import { ChunkedDecoder } from '../../../base/chunkedDecoder.ts';
import { findHeadEnd } from '../../../base/findHeadEnd.ts';
import { AnswerError, type AnswerHead, parseHead } from './answerHead.ts';
import { ByteBuilder } from './byteBuilder.ts';

const MAX_HEAD_BYTES = 64 * 1024;

export interface ProgramAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Whether the connection can take the next request. */
  readonly reusable: boolean;
}

/**
 * Reads one HTTP answer from a connection, more tolerant than Node's strict parser: HTTP/1.0, no length (the body ends
 * with the connection), bare LF, no reason phrase. The program runs untrusted code, so everything has a limit.
 */
export class AnswerReader {
  readonly #maxBodyBytes: number;
  #headBytes: Buffer | undefined;
  #head: AnswerHead | undefined;
  readonly #body = new ByteBuilder();
  /** Body bytes on the wire, chunk sizes included. */
  #received = 0;
  #chunked: ChunkedDecoder | undefined;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Takes bytes, which must stay as they are; gives the answer once it is whole. Throws `AnswerError`. */
  push(bytes: Buffer): ProgramAnswer | undefined {
    if (this.#head !== undefined) return this.#pushBody(this.#head, bytes);
    let rest = this.#headBytes === undefined ? bytes : Buffer.concat([this.#headBytes, bytes]);
    for (;;) {
      const end = findHeadEnd(rest);
      if ((end ?? rest.length) > MAX_HEAD_BYTES) throw new AnswerError('has headers that are too large');
      if (end === undefined) {
        this.#headBytes = rest;
        return undefined;
      }
      const head = parseHead(rest.toString('latin1', 0, end));
      rest = rest.subarray(end);
      // 100 Continue and its like come before the answer.
      if (head.status < 200) continue;
      this.#head = head;
      if (head.length === 'chunked') this.#chunked = new ChunkedDecoder(this.#body);
      return this.#pushBody(head, rest);
    }
  }

  /** The connection has ended: the answer, where it is one that ends so. Throws `AnswerError`. */
  end(): ProgramAnswer {
    if (this.#head?.length !== 'until-close') throw new AnswerError('ended half-way');
    return this.#answer(this.#head, this.#body.bytes(), false);
  }

  #pushBody(head: AnswerHead, bytes: Buffer): ProgramAnswer | undefined {
    this.#received += bytes.length;
    const expected = typeof head.length === 'number' ? head.length : this.#received;
    if (expected > this.#maxBodyBytes) throw new AnswerError('is too large');
    if (this.#chunked !== undefined) return this.#pushChunked(head, this.#chunked, bytes);
    this.#body.push(bytes);
    if (head.length === 'until-close' || this.#received < expected) return undefined;
    return this.#answer(head, this.#body.bytes().subarray(0, expected), this.#received === expected);
  }

  #pushChunked(head: AnswerHead, decoder: ChunkedDecoder, bytes: Buffer): ProgramAnswer | undefined {
    const extra = decoder.push(bytes);
    if (extra === 'damaged') throw new AnswerError('has damaged chunks');
    return extra === undefined ? undefined : this.#answer(head, this.#body.bytes(), extra === 0);
  }

  #answer(head: AnswerHead, body: Buffer, exact: boolean): ProgramAnswer {
    return { status: head.status, body, reusable: exact && head.keepAlive };
  }
}
