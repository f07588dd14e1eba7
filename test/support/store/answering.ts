import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { openPlace } from '../../contract/place.ts';

/** A store behind which something answers every request with `status` and the same; HEAD with other headers as well. */
export async function answering(
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  ofHead: Readonly<Record<string, string>> = {},
  type: 's3' | 'aws' = 's3',
  status = 200,
): Promise<ObjectStore> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const length = { 'content-length': `${Buffer.byteLength(body)}` };
      const isHead = request.method === 'HEAD';
      response.writeHead(status, { ...length, ...headers, ...(isHead && ofHead) });
      response.end(isHead ? undefined : body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const store = openPlace({ type, endpoint, port, accessKey: 'a', secretKey: 'b', bucket: 'bucket' }, false);
  onTestFinished(() => {
    store.close();
    server.close();
    server.closeAllConnections();
  });
  return store;
}
