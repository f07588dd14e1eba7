import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Upgrade } from '../../base/httpUpgrade.ts';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What a route's `:name` stands for, and as `rest` what came after its `*`, as the client wrote it. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Set: it asks for a WebSocket. */
  readonly upgrade?: Upgrade | undefined;
  /** Aborted when the client has gone before it had its answer. */
  readonly gone: AbortSignal;
}

/** Answers, or throws what the client is told (`asBoxError`). */
export type Handle = (exchange: Exchange) => Promise<void> | void;

/** `POST /process/:pid/logs`; a `*` at the end stands for the rest, which may be empty and need not begin with a slash. */
export interface Route {
  /** `ALL`: whichever it is. */
  readonly method: string;
  readonly path: string;
  readonly handle: Handle;
  /** No token is asked for. */
  readonly open?: boolean;
}
