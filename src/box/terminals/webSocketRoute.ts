import type { WebSocket } from 'ws';
import type { Upgrade } from '../../base/httpUpgrade.ts';
import type { Box } from '../box.ts';
import { BoxError, invalid } from '../http/boxError.ts';
import type { Exchange, Route } from '../http/exchange.ts';
import { Detached } from './detached.ts';
import { MOST_INPUT_BYTES } from './mostInput.ts';
import { openConnection } from './openConnection.ts';
import { serveSocket } from './serveSocket.ts';
import type { Terminals } from './terminals.ts';

/** Chosen by the client, or the id of a terminal. */
const CONNECTION = /^[A-Za-z0-9._:-]{1,256}$/;

/**
 * `GET /terminals/{connectionId}/ws`: a terminal over one connection. The client says `{"type":"init","cols","rows","command"?,"cwd"?}` first, then
 * `{"type":"input","data"}` and `{"type":"resize","cols","rows"}`; bytes are typed as they are. It is told `{"type":"ready",…}`, what is printed
 * as bytes, at last `{"type":"exit",…}`, and of what is wrong `{"type":"error","message","code"}`.
 */
export function webSocketRoute(box: Box, terminals: Terminals): Route {
  const detached = new Detached(terminals, box.clock);
  const open = openConnection(box, terminals);
  return {
    method: 'GET',
    path: '/terminals/:id/ws',
    handle: async ({ request, params, upgrade }) => {
      const id = params.id ?? '';
      if (!CONNECTION.test(id)) throw invalid('connectionId', 'is no name of a connection');
      if (upgrade === undefined)
        throw new BoxError(426, 'UPGRADE_REQUIRED', 'this is a WebSocket', {}, { upgrade: 'websocket' });
      const socket = await accept(request, upgrade);
      if (socket !== undefined)
        await serveSocket(socket, (init) => open(id, init), { terminals, detached, clock: box.clock });
    },
  };
}

/** Undefined: it was none, and has been told so. */
async function accept(
  request: Exchange['request'],
  { socket, head }: Upgrade,
): Promise<WebSocket | undefined> {
  const { WebSocketServer } = await import('../../base/parts/ws.ts');
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MOST_INPUT_BYTES,
  });
  return await new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request, socket, head, resolve);
  });
}
