import { createServer } from 'node:http';
import { RuntimeError } from '../../base/errors.ts';

/** `/healthz` (200 while the process lives) and `/readyz` (200 once `ready` says so, else 503), for a sidecar's probes. */
export async function serveHealth(port: number, ready: () => boolean): Promise<{ close(): void }> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const status =
      path === '/healthz' || (path === '/readyz' && ready()) ? 200 : path === '/readyz' ? 503 : 404;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ status: status === 200 ? 'ok' : 'error' })}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new RuntimeError('config', `cannot listen on port ${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, resolve);
  });
  return { close: () => server.close() };
}
