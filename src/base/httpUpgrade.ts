import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A request that asks for another protocol on its connection. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What came behind the head already. */
  readonly head: Buffer;
}

/** For `createServer`: what else clients ask for (`h2c`) is left to them, and answered as if they had not. */
export const upgradesWebSockets = {
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
};

/** Requests for a WebSocket, with an answer for those that get none: it ends the connection. */
export function onUpgrade(
  server: Server,
  receive: (request: IncomingMessage, response: ServerResponse, upgrade: Upgrade) => void,
): void {
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const response = new ServerResponse(request);
    response.assignSocket(socket as never);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    receive(request, response, { socket, head });
  });
}

/** The headers by which one is asked for of the next server; the rest of them (`sec-websocket-…`) go on as they came. */
export const askForWebSocket = { connection: 'Upgrade', upgrade: 'websocket' } as const;

/** The client gets what the next server has agreed to; from then on bytes go both ways, until either has gone. */
export async function joinUpgraded(
  response: ServerResponse,
  { socket, head }: Upgrade,
  answer: IncomingMessage,
  protocol: string | undefined,
): Promise<void> {
  const inner = answer.socket;
  const accepted = answer.headers['sec-websocket-accept'];
  const extensions = answer.headers['sec-websocket-extensions'];
  response.writeHead(101, {
    ...askForWebSocket,
    ...(accepted === undefined ? {} : { 'sec-websocket-accept': accepted }),
    ...(extensions === undefined ? {} : { 'sec-websocket-extensions': extensions }),
    ...(protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }),
  });
  response.flushHeaders();
  if (head.length > 0) inner.write(head);
  try {
    await Promise.race([pipeline(socket, inner), pipeline(inner, socket)]);
  } catch {
    // One of them has gone: so does the other.
  } finally {
    socket.destroy();
    inner.destroy();
  }
}
