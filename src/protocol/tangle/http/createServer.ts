import { once } from 'node:events';
import { createServer as createHttp, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuntimeError, systemCode } from '../../../base/errors.ts';
import { upgradesWebSockets } from '../../../base/httpUpgrade.ts';
import { errorAnswer } from './errorAnswer.ts';
import { HttpError } from './httpError.ts';

/** Names of files are in the URL. */
const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** Uploads are sent on as they come. */
const REQUEST_TIMEOUT_MS = 3_600_000;
const KEEP_ALIVE_MS = 75_000;
const MAX_CONNECTIONS = 8192;
/** How long the rest of a body may take to come after its answer: whoever has no key has been answered, and must not hold a connection for an hour. */
const LINGER_MS = 10_000;

/** A server that limits what clients may hold, and has JSON for what Node itself refuses. */
export function createServer(lingerMs = LINGER_MS): Server {
  const server = createHttp({
    ...upgradesWebSockets,
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A client whose machine has gone.
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  // Streams are silent for as long as they like: each has its own way to find that nobody reads.
  server.timeout = 0;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => {
    response.once('finish', () => {
      if (request.complete) return;
      const late = () => void (request.complete || request.socket.destroy());
      setTimeout(late, lingerMs).unref();
    });
  });
  server.on('clientError', (error, socket) => {
    if (!socket.writable || socket.writableEnded) return void socket.destroy();
    const code = systemCode(error);
    const refused =
      code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new HttpError(408, 'TIMEOUT', 'the request did not arrive in time', {
            timeoutMs: HEADERS_TIMEOUT_MS,
          })
        : code === 'HPE_HEADER_OVERFLOW'
          ? new HttpError(431, 'HEADERS_TOO_LARGE', 'the headers are too large')
          : new HttpError(400, 'VALIDATION_ERROR', 'the request is not HTTP/1');
    const text = JSON.stringify(errorAnswer(refused).body);
    socket.end(
      `HTTP/1.1 ${refused.status} Refused\r\nContent-Type: application/json\r\nConnection: close\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  });
  return server;
}

/** Gives the port. Throws `unavailable` where it is taken. */
export async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new RuntimeError('unavailable', `cannot listen on port ${port} (${systemCode(error)})`, {
      op: 'serve.listen',
      retryable: true,
      hint: 'Another program has it, or it needs more rights; --port (RUNTIME_SERVE_PORT) names another.',
      cause: error,
    });
  }
  return (server.address() as AddressInfo).port;
}
