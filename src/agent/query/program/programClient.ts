import type { ProgramAnswer } from '../http/answerReader.ts';
import { Connection, type ConnectionOptions } from '../http/connection.ts';

/** A connect on loopback that takes longer has found the program's accept queue full. */
const STALL_MS = 50;

interface Waiting {
  readonly target: string;
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ProgramAnswer) => void;
  readonly onFailure: (error: unknown) => void;
  /** What carries it at the moment. */
  connection: Connection | undefined;
}

export interface ProgramClientOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly maxAnswerBytes: number;
}

/**
 * Asks a listening query program over kept connections. How many it has at once follows what the program accepts:
 * Python's `http.server` queues five, and a sixth would wait a second for its SYN to be sent again. So the
 * number grows with every connect that works and falls back to those that did when one stalls.
 */
export class ProgramClient {
  readonly #options: ConnectionOptions;
  readonly #maxConnections: number;
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #queue: Waiting[] = [];
  #limit = 4;
  #closed = false;
  #stalled: NodeJS.Timeout | undefined;

  constructor(options: ProgramClientOptions) {
    // Not from the pool of small buffers: it lives as long as the client.
    this.#options = { ...options, readBuffer: Buffer.allocUnsafeSlow(64 * 1024) };
    this.#maxConnections = options.maxConnections;
  }

  /** The program's answer. Rejects with `AnswerError`, a system error, or the signal's reason. */
  async ask(target: string, signal: AbortSignal): Promise<ProgramAnswer> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const settled = () => signal.removeEventListener('abort', abort);
      const waiting: Waiting = {
        target,
        signal,
        onAnswer: (answer) => {
          settled();
          resolve(answer);
        },
        onFailure: (error) => {
          settled();
          reject(error);
        },
        connection: undefined,
      };
      const abort = () => {
        waiting.connection?.destroy();
        waiting.onFailure(signal.reason);
      };
      signal.addEventListener('abort', abort);
      this.#queue.push(waiting);
      this.#next();
    });
  }

  /** Everything still asked is rejected. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#stalled);
    for (const connection of this.#open) connection.destroy(new Error('the query program is gone'));
    this.#next();
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const waiting = this.#queue[0]!;
      if (this.#closed) waiting.onFailure(new Error('the query program is gone'));
      else if (!waiting.signal.aborted) {
        const connection = this.#idle.pop() ?? (this.#open.size < this.#limit ? this.#connect() : undefined);
        if (connection === undefined) return;
        this.#exchange(connection, waiting);
      }
      this.#queue.shift();
    }
  }

  #connect(): Connection {
    const connection = new Connection(
      this.#options,
      () => this.#grow(),
      () => this.#forget(connection),
    );
    this.#open.add(connection);
    return connection;
  }

  #exchange(connection: Connection, waiting: Waiting): void {
    const again = () => {
      this.#queue.unshift(waiting);
      this.#next();
    };
    const stall = connection.connecting
      ? setTimeout(() => {
          if (!connection.connecting) return;
          this.#shrink(connection);
          again();
        }, STALL_MS)
      : undefined;
    waiting.connection = connection;
    connection.send(waiting.target, {
      onAnswer: (answer) => {
        clearTimeout(stall);
        if (answer.reusable) this.#idle.push(connection);
        waiting.onAnswer(answer);
        this.#next();
      },
      onFailure: (error, unanswered) => {
        clearTimeout(stall);
        // A kept connection that the program closed in the meantime. Queries change nothing, so ask again.
        if (unanswered && connection.uses > 1) again();
        else waiting.onFailure(error);
      },
    });
  }

  #grow(): void {
    if (this.#stalled !== undefined) return;
    this.#limit = Math.min(this.#limit + 1, this.#maxConnections);
    this.#next();
  }

  #shrink(stalled: Connection): void {
    stalled.destroy();
    this.#open.delete(stalled);
    const accepted = [...this.#open].filter((connection) => !connection.connecting).length;
    this.#limit = Math.max(1, accepted);
    this.#stalled ??= setTimeout(() => {
      this.#stalled = undefined;
      this.#grow();
    }, 2 * STALL_MS);
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#next();
  }
}
