/**
 * The room of sandboxes for other people's clients: HTTP in the words of Tangle's SDK (docs/sandboxes.md). It translates, and starts
 * nothing by itself: what is wanted goes to `host/sandboxes`, what is asked of a sandbox to the API inside of it.
 *
 *   http/        what every call has in common: limits, routes, bodies, errors
 *   access/      whose key it is, and what it allows
 *   sandboxes/   create, list, get, stop, resume, delete; which are made at all
 *   runtime/     what is sent on to the API inside of one
 *   previews/    links to its ports, for browsers
 *   sessions/    conversations with the agent of one; `batch/` of several
 *   events/      what happens, numbered and replayed
 *   snapshots/   kept, forked, begun from; `disk/` reads files of one that does not run
 *   hosts/       other servers of the same pool
 *   keys/, policy/, secrets/, network/, capacity/, ready/, usage/   a handful of routes or a command each
 *   allRoutes    every path of the API
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onUpgrade, type Upgrade } from '../../base/httpUpgrade.ts';
import type { Logger } from '../../base/log.ts';
import type { Authenticate } from './access/access.ts';
import type { Caller } from './access/caller.ts';
import { originFor } from './access/onBehalf.ts';
import { createServer, listen } from './http/createServer.ts';
import { errorAnswer, isDefect } from './http/errorAnswer.ts';
import { HttpError } from './http/httpError.ts';
import { type Matched, matcher } from './http/matchRoute.ts';
import { readBody } from './http/readBody.ts';
import { respond } from './http/respond.ts';
import type { Call, Route } from './http/route.ts';
import { SlowBodies } from './http/slowBodies.ts';
import { withoutPreview } from './previews/withoutPreview.ts';

export interface FrontOptions {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** 0: any that is free. */
  readonly port: number;
  /** The address to listen on; undefined: all. */
  readonly host: string | undefined;
  /** Where clients reach it, when that is not what they say themselves (a proxy): `https://sandboxes.example`. */
  readonly publicUrl: string | undefined;
  /** Who answers a call of a sandbox that is not on this host; undefined: it is, or nobody has it. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Told of every call when its answer is through, or its client has gone. */
  readonly answered: (what: Answered) => void;
  readonly log: Logger;
}

export interface Elsewhere {
  /** From memory. */
  known(found: Matched): boolean;
  /** Asks the other hosts for one that nobody has told of, and the store. Throws 404, and 421 where another host has it. */
  find(found: Matched, caller: Caller): Promise<((call: Call) => Promise<undefined>) | undefined>;
}

export interface Answered {
  readonly id: string;
  readonly request: IncomingMessage;
  /** Undefined: none fits. */
  readonly route: Route | undefined;
  /** Undefined: nobody was found, or none was asked for. */
  readonly caller: Caller | undefined;
  readonly status: number;
  /** Of an error. */
  readonly code: string | undefined;
  readonly ms: number;
}

export interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** Throws `unavailable` when the port is taken. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { routes, authenticate, log } = options;
  const match = matcher(routes);
  const closing = new AbortController();
  const slow = new SlowBodies();

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    seen: Seen,
    upgrade: Upgrade | undefined,
  ): Promise<void> {
    const { method = 'GET', url: target = '/' } = request;
    const [path = '/', queryString = ''] = splitOnce(target, '?');
    const asked = method === 'HEAD' ? 'GET' : method;
    const found = match(asked, path);
    if (found === undefined)
      throw new HttpError(404, 'NOT_FOUND', `there is no ${path.slice(0, 200)}`, {
        resourceType: 'path',
        resourceId: path.slice(0, 200),
      });
    if (!('route' in found))
      throw new HttpError(
        405,
        'METHOD_NOT_ALLOWED',
        `${path.slice(0, 200)} takes ${found.join(', ')}`,
        {},
        {
          allow: found.join(', '),
        },
      );
    seen.route = found.route;
    const caller = authenticate(found, request);
    seen.caller = caller;
    slow.watch(request, caller.name);
    // Only now: nobody without a key makes this server ask another one.
    const mayAsk = found.route.scope !== 'open' || options.elsewhere?.known(found) === true;
    const elsewhere = mayAsk ? await options.elsewhere?.find(found, caller) : undefined;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const call: Call = {
      id,
      method,
      target,
      path,
      query: new URLSearchParams(queryString),
      params: found.params,
      caller,
      origin: originFor(caller, request.headers) ?? options.publicUrl ?? originOf(request),
      signal: AbortSignal.any([gone.signal, closing.signal]),
      body: () => readBody(request),
      request,
      response,
      upgrade,
    };
    const result = await (elsewhere?.(call) ?? found.route.handle(call));
    if (result !== undefined) respond(response, result);
  }

  const server = createServer();
  const receive = (request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade) => {
    // A client that goes away while it sends or reads is not an error of ours.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const id = randomUUID();
    const seen: Seen = { route: undefined, caller: undefined, code: undefined };
    const startedAt = performance.now();
    response.once('close', () =>
      options.answered({
        ...seen,
        id,
        request,
        status: response.headersSent ? response.statusCode : 499,
        ms: performance.now() - startedAt,
      }),
    );
    response.setHeader('x-request-id', id);
    answer(request, response, id, seen, upgrade).catch((error: unknown) => {
      if (response.destroyed) return;
      if (isDefect(error))
        log.error('a call failed', { id, path: withoutPreview(request.url ?? ''), error: String(error) });
      const refusal = errorAnswer(error);
      seen.code = (refusal.body as { code: string }).code;
      // What has begun cannot become another answer: it is cut, and the client sees that.
      if (response.headersSent) response.destroy();
      else respond(response, refusal);
      request.resume();
    });
  };
  server.on('request', receive);
  onUpgrade(server, receive);
  const port = await listen(server, options.port, options.host);
  return {
    port,
    close: async () => {
      closing.abort();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type Seen = { -readonly [K in 'route' | 'caller' | 'code']: Answered[K] };

function splitOnce(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** As the client has named us; a name that is none is not repeated. */
function originOf({ headers, socket }: IncomingMessage): string {
  const { host = '' } = headers;
  const isName = /^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?$/.test(host);
  return `http://${isName ? host : `127.0.0.1:${socket.localPort}`}`;
}
