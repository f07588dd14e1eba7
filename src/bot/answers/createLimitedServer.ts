import { createServer, type Server } from 'node:http';
import { refuseUnreadable } from './refuseUnreadable.ts';
import { respondRaw } from './respond.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
/** A client that reads nothing for as long gives up its connection; event streams have a line every 15 s. */
const STALLED_MS = 60_000;
/** How often half-sent requests are looked for. */
const CHECK_MS = 5_000;
/** Beyond what a query may have, so that one too long is told so. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Half-sent requests and slow readers hold a connection each, and nothing else. */
const MAX_CONNECTIONS = 1024;

/** A server that limits what clients may hold, and has error objects for what Node itself refuses. */
export function createLimitedServer(queryTimeoutMs: number): Server {
  const server = createServer({
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  // Who has sent a whole request and closed that direction still waits for the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.timeout = queryTimeoutMs + STALLED_MS;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', refuseUnreadable);
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    const message = 'a query is a GET or a POST, not CONNECT';
    respondRaw(socket, 405, { message, code: 'method_not_allowed' }, 'Allow: GET, POST\r\n');
  });
  return server;
}
