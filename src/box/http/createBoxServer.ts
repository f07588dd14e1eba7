import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { onUpgrade, type Upgrade, upgradesWebSockets } from '../../base/httpUpgrade.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { refuseUnreadable } from '../../bot/answers/refuseUnreadable.ts';
import { tokenCheck } from '../../bot/answers/tokenCheck.ts';
import { answerError } from './answer.ts';
import { asBoxError, BoxError } from './boxError.ts';
import type { Route } from './exchange.ts';
import { matchRoute } from './matchRoute.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 75_000;
/** How often half-sent heads are looked for. */
const CHECK_MS = 5_000;
/** Paths are as long as the system has them, three characters for each byte. */
const MAX_HEADER_BYTES = 32 * 1024;
/** How long a client that was refused may go on sending. */
const LINGER_MS = 5000;
const MAX_CONNECTIONS = 512;
/** A body of so many bytes leaves as much behind as a request without one. */
const REQUEST_BYTES = 64 * 1024;

export interface BoxServerOptions {
  readonly routes: readonly Route[];
  readonly token: Secret;
  readonly log: Logger;
  /** With each request: how much there is to give back when it is quiet again, in requests. */
  readonly worked: (amount: number) => void;
}

/**
 * The server of a box: each request has its token checked and goes to its route. A body has no time limit as a whole, since
 * uploads are as long as they are: who reads it gives up when it stops coming.
 */
export function createBoxServer({ routes, token, log, worked }: BoxServerOptions): Server {
  const isAllowed = tokenCheck(token);
  const server = createServer({
    ...upgradesWebSockets,
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseUnreadable);
  const receive = async (request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade) => {
    worked(1 + Number(request.headers['content-length'] ?? 0) / REQUEST_BYTES);
    try {
      await answer(request, response, upgrade);
    } catch (thrown) {
      const error = asBoxError(thrown);
      if (error.status === 500)
        log.error('a request failed', { why: String(thrown), path: request.url ?? '' });
      answerError(response, error);
      endRest(request);
    }
  };
  server.on('request', receive);
  onUpgrade(server, receive);
  return server;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | undefined,
  ): Promise<void> {
    // Left to itself, an error of either would end the process.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const [path = '', ...rest] = (request.url ?? '').split('?');
    // A GET of which only the head is sent: Node leaves the body out.
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const match = matchRoute(routes, method, path);
    if (!('route' in match && match.route.open)) {
      const { authorization } = request.headers;
      if (authorization === undefined) throw new BoxError(401, 'UNAUTHORIZED', 'there is no token');
      if (!isAllowed(authorization)) throw new BoxError(403, 'FORBIDDEN', 'the token is wrong');
    }
    if (!('route' in match)) {
      if (match.allow.length === 0)
        throw new BoxError(404, 'NOT_FOUND', `there is no ${path}`, { resourceType: 'route' });
      const allow = { allow: match.allow.join(', ') };
      throw new BoxError(405, 'METHOD_NOT_ALLOWED', `${path} takes ${match.allow.join(' or ')}`, {}, allow);
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await match.route.handle({
      request,
      response,
      params: match.params,
      query: new URLSearchParams(rest.join('?')),
      upgrade,
      gone: gone.signal,
    });
  }
}

/** What is left of a refused body is read and thrown away for a while, so that the client gets to read why. */
function endRest(request: IncomingMessage): void {
  if (request.readableEnded) return;
  request.resume();
  const late = setTimeout(() => request.destroy(), LINGER_MS);
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(late));
}
