import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorAnswer } from './answer.ts';

/** How long a client that was refused may go on sending, so that it gets to read why. */
const LINGER_MS = 5000;

/** Longer answers are not worth copying. */
const JOINED_BYTES = 16 * 1024;

/** Sends an answer's bytes as they are. */
export function respond(
  response: ServerResponse,
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  // A string leaves in one write with the head, two buffers in a slower one; latin1 keeps each byte what it is.
  if (body.length < JOINED_BYTES) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
}

export function respondError(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  respond(response, status, Buffer.from(JSON.stringify(errorAnswer(message))), headers);
}

/** The same for a connection whose request could not even be read; `code` is an agent's word for it. */
export function respondRaw(
  socket: Duplex,
  status: number,
  { message, code }: { readonly message: string; readonly code: string },
  headers = '',
): void {
  // Each further piece that it sends is refused again.
  if (socket.writableEnded) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(late));
  // Unread bytes would hide that the client has gone, and the connection would stay for ever.
  socket.resume();
  const body = JSON.stringify({ ...errorAnswer(message), code });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n${headers}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
