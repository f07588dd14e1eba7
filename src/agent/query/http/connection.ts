import net from 'node:net';
import { AnswerError } from './answerHead.ts';
import { AnswerReader, type ProgramAnswer } from './answerReader.ts';

/**
 * The room of the wire to a query program, which is bot code: it may send anything, at any pace.
 *
 *   connection      one exchange at a time over one socket
 *   answerReader    the answer as it arrives: head (`answerHead`), then a body by length, by chunks (`chunkedDecoder`) or up to the end
 *   byteBuilder     pieces of any size in one buffer
 *
 * Head, body, chunk lines and trailers each have a limit. Node's own parser, told to be lenient, reads nearly as much, at three times
 * the CPU (docs/performance.md).
 */

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly maxAnswerBytes: number;
  /** Where bytes are read to; taken out at once, so all connections may share it. */
  readonly readBuffer: Buffer;
}

export interface ExchangeEvents {
  onAnswer(answer: ProgramAnswer): void;
  /** `unanswered`: not one byte of an answer came. */
  onFailure(error: Error, unanswered: boolean): void;
}

/** One connection to the query program; one exchange at a time. */
export class Connection {
  /** How many exchanges it has begun. */
  uses = 0;
  readonly #options: ConnectionOptions;
  readonly #socket: net.Socket;
  #exchange: ExchangeEvents | undefined;
  #reader: AnswerReader | undefined;
  #answering = false;

  constructor(options: ConnectionOptions, onConnect: () => void, onClose: () => void) {
    this.#options = options;
    const { host, port, readBuffer } = options;
    this.#socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (count) => {
          this.#receive(Buffer.from(readBuffer.subarray(0, count)));
          return true;
        },
      },
    });
    this.#socket.once('connect', onConnect);
    this.#socket.on('end', () => this.#settle((reader) => reader.end()));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => {
      this.#fail(new AnswerError('ended half-way'));
      onClose();
    });
  }

  get connecting(): boolean {
    return this.#socket.connecting;
  }

  /** Nothing of the client's own request goes along but the target: no header, so no token either. */
  send(target: string, exchange: ExchangeEvents): void {
    this.uses += 1;
    this.#exchange = exchange;
    this.#reader = new AnswerReader(this.#options.maxAnswerBytes);
    this.#answering = false;
    this.#socket.write(
      `GET ${target} HTTP/1.1\r\nHost: ${this.#options.host}:${this.#options.port}\r\n\r\n`,
      'latin1',
    );
  }

  /** Without an error the exchange at hand ends silently. */
  destroy(error?: Error): void {
    if (error === undefined) this.#exchange = undefined;
    this.#socket.destroy(error);
  }

  #receive(bytes: Buffer): void {
    this.#answering = true;
    // Bytes without a request: the connection is out of step.
    if (this.#exchange === undefined) this.#socket.destroy();
    else this.#settle((reader) => reader.push(bytes));
  }

  #settle(read: (reader: AnswerReader) => ProgramAnswer | undefined): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#reader === undefined) return;
    try {
      const answer = read(this.#reader);
      if (answer === undefined) return;
      this.#exchange = undefined;
      if (!answer.reusable) this.#socket.destroy();
      exchange.onAnswer(answer);
    } catch (error) {
      this.#fail(error as Error);
      this.#socket.destroy();
    }
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onFailure(error, !this.#answering);
  }
}
