import net from 'node:net';

/** The loopback address at which `port` takes connections now. */
export async function findListener(port: number): Promise<'127.0.0.1' | '::1' | undefined> {
  if (await accepts('127.0.0.1', port)) return '127.0.0.1';
  return (await accepts('::1', port)) ? '::1' : undefined;
}

async function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 1000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
