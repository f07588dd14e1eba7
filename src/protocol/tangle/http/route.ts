import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Upgrade } from '../../../base/httpUpgrade.ts';
import type { Caller, Scope } from '../access/caller.ts';

/**
 * The room of what every call has in common. In order: `createServer` limits what a client may hold, `matchRoute` finds the route,
 * `access` says who asks, the route's `handle` does it, `respond` answers, and `errorAnswer` says what went wrong.
 */

/** One path of the API. A part of the API is a list of these. */
export interface Route {
  /** `ALL`: any. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ALL';
  /** `/v1/sandboxes/:id`, or with `/*` at its end all below. */
  readonly path: string;
  /** What the key must allow. `open`: no key is asked for. `sidecar`: a token of the sandbox `:id`. */
  readonly scope: Scope | 'open' | 'sidecar';
  /** Undefined: it has answered by `call.response` itself. */
  handle(call: Call): Promise<Answer | undefined>;
}

/** Sent as JSON. */
export interface Answer {
  /** 200. */
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Call {
  /** For the audit journal and the answer's `x-request-id`. */
  readonly id: string;
  readonly method: string;
  /** As it was sent: path and query string. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly caller: Caller;
  /** Where the client reaches this server: `http://host:port`. */
  readonly origin: string;
  /** Aborted when the client has gone, or the server ends. */
  readonly signal: AbortSignal;
  /** One JSON object; `{}` where there is no body. Throws 400 and 413. */
  body(): Promise<Readonly<Record<string, unknown>>>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Set: it asks for a WebSocket. Who knows none answers as ever. */
  readonly upgrade?: Upgrade | undefined;
}
