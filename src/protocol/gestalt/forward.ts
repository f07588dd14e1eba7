import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

/** Connections that one session may hold at once through one forward. */
const MOST = 256;

export interface Forward {
  close(): void;
}

/**
 * Serves a Unix socket at `path` and joins each connection to one that `dial` makes. Every user of the session may connect: `path`
 * lies in a folder that no one else sees. `onError`: a connection could not be made.
 */
export async function forwardSocket(
  path: string,
  dial: () => Promise<Socket>,
  onError: (error: unknown) => void,
): Promise<Forward> {
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    keep(client);
    client.on('error', () => client.destroy());
    dial().then(
      (other) => {
        keep(other);
        if (client.destroyed) return void other.destroy();
        join(client, other);
        join(other, client);
      },
      (error: unknown) => {
        client.destroy();
        onError(error);
      },
    );
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

function join(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
  from.pipe(to);
}
