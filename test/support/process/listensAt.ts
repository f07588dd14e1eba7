import { createConnection } from 'node:net';

/** Whether somebody takes connections there now. */
export function listensAt(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const tell = (listens: boolean) => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => tell(true)).once('error', () => tell(false));
    // Where the address itself is not there yet, nobody refuses.
    socket.setTimeout(1_000, () => tell(false));
  });
}
