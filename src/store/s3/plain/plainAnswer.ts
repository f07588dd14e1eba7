import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { AnswerHead } from './answerHead.ts';

/** An answer of a store, its body not yet read: what it has in common with one of Node's own. */
export interface StoreAnswer extends Readable {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface Flow {
  /** The reader has room again. */
  resume(): void;
  /** The reader does not want the rest, or has it all. */
  leave(): void;
}

export class PlainAnswer extends Readable implements StoreAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly #flow: Flow;

  constructor({ status, headers }: AnswerHead, flow: Flow) {
    super();
    this.statusCode = status;
    this.headers = headers;
    this.#flow = flow;
    // A connection that breaks before anybody reads must not be an uncaught error.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#flow.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#flow.leave();
    callback(error);
  }
}
