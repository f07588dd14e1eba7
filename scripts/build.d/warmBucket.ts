import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zipOf } from '../zipOf.ts';

/** A bucket for the lives of a build, a map in this process: it has to answer, it does not have to keep anything. */
export async function openWarmBucket(): Promise<{ endpoint: string; close(): void }> {
  const code = zipOf([['main', 'x'.repeat(2000)]]);
  const objects = new Map([['/custom-bots/code.zip', { bytes: code, etag: '"0"' }]]);
  let puts = 0;
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const before = objects.get(path);
    if (request.method === 'PUT') {
      const { 'if-match': tag, 'if-none-match': none } = request.headers;
      if (before ? none === '*' || (tag && tag !== before.etag) : tag) {
        response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
        return;
      }
      objects.set(path, { bytes: Buffer.concat(chunks), etag: `"${++puts}"` });
    }
    const object = objects.get(path);
    if (!object) {
      response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
      return;
    }
    response.setHeader('etag', object.etag);
    response.setHeader('last-modified', new Date().toUTCString());
    response.setHeader('content-length', request.method === 'PUT' ? 0 : object.bytes.length);
    response.writeHead(200).end(request.method === 'GET' ? object.bytes : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
