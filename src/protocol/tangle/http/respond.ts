import type { ServerResponse } from 'node:http';
import type { Answer } from './route.ts';

export function respond(response: ServerResponse, { status = 200, body, headers = {} }: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}
