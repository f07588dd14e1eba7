import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

/** Connections that one session may hold at once through one forward. */
const MOST = 256;

export interface Forward {
  close(): void;
}

/**
 * Serves a Unix socket at `path` and joins each connection to `target`. Every user of the session may connect: `path` lies in a folder
 * that no one else sees.
 */
export async function forwardSocket(path: string, target: NetConnectOpts): Promise<Forward> {
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const other = connect({ ...target, allowHalfOpen: true });
    for (const [socket, peer] of [
      [client, other],
      [other, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        open.delete(socket);
        peer.destroy();
      });
      socket.pipe(peer);
    }
  });
  server.maxConnections = MOST;
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o777);
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
