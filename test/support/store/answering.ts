import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { openS3Store } from '../../../src/store/s3/s3.ts';

/** A store behind which something answers every request with 200 and the same; HEAD with other headers as well. */
export async function answering(
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  ofHead: Readonly<Record<string, string>> = {},
): Promise<ObjectStore> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const length = { 'content-length': `${Buffer.byteLength(body)}` };
      const isHead = request.method === 'HEAD';
      response.writeHead(200, { ...length, ...headers, ...(isHead && ofHead) });
      response.end(isHead ? undefined : body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const store = openS3Store({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    accessKey: new Secret('a'),
    secretKey: new Secret('b'),
    sessionToken: undefined,
    bucket: 'bucket',
    createBucket: false,
  });
  onTestFinished(() => {
    store.close();
    server.close();
    server.closeAllConnections();
  });
  return store;
}
