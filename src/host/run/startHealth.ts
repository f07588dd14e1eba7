import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { RuntimeError } from '../../base/errors.ts';

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

/** Port 8080: `/healthz` while the host lives, `/readyz` while it does its work or could, `/metrics`. */
export async function startHealth(port: number, ready: () => boolean, registry: Registry): Promise<Health> {
  const server = createServer((request, response) => {
    const send = (status: number, body: string, type = 'text/plain') =>
      response.writeHead(status, { 'content-type': type }).end(body);
    if (request.method !== 'GET' && request.method !== 'HEAD') return void send(405, 'method not allowed');
    switch (request.url) {
      case '/healthz':
        return void send(200, 'ok');
      case '/readyz': {
        const isReady = ready();
        return void send(isReady ? 200 : 503, isReady ? 'ok' : 'not ready');
      }
      case '/metrics':
        return void registry.metrics().then((text) => send(200, text, registry.contentType));
      default:
        return void send(404, 'not found');
    }
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new RuntimeError('unavailable', `port ${port} cannot be opened: ${error.message}`, {
          op: 'host.health',
          hint: '--health-port names another; 0 takes any that is free.',
          cause: error,
        }),
      ),
    );
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
