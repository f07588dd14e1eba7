import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { openPlace } from '../../../contract/place.ts';

interface Seen {
  readonly expect: string | undefined;
  readonly bytes: number;
}

/** A store that keeps what it is asked, and takes it, unless `refuse` has answered. */
async function demanding(
  refuse: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<{ store: ObjectStore; puts: Seen[] }> {
  const puts: Seen[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    if (request.method === 'PUT') puts.push({ expect: request.headers.expect, bytes });
    if (refuse(request, response)) return;
    response.setHeader('etag', '"t"');
    if (request.url?.endsWith('?uploads=')) return void response.end('<UploadId>id</UploadId>');
    response.end(request.headers['x-amz-copy-source'] || request.method === 'POST' ? '<ETag>"p"</ETag>' : '');
  };
  const server = createServer((request, response) => void take(request, response));
  server.on('checkContinue', (request, response) => {
    // As a proxy that does not know the question.
    response.writeHead(417, { 'content-length': 0 }).end();
    request.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const place = { type: 's3', endpoint, port, accessKey: 'a', secretKey: 'b', bucket: 'bucket' } as const;
  const store = openPlace(place, false);
  onTestFinished(() => {
    store.close();
    server.close();
    server.closeAllConnections();
  });
  return { store, puts };
}

test('a proxy that answers 417 to the question whether a body is wanted gets the body without it, and is not asked again', async () => {
  const { store, puts } = await demanding(() => false);
  const bytes = randomBytes(2 << 20);
  const body = { size: bytes.length, open: () => Readable.from([bytes]) };
  for (const each of [bytes, body, bytes]) expect(await store.put('key', each)).toEqual({ etag: '"t"' });
  expect(puts).toEqual(Array(3).fill({ expect: undefined, bytes: bytes.length }));
});

test('a bucket with Object Lock, which takes nothing without a checksum of its own', async () => {
  const { store, puts } = await demanding((request, response) => {
    const { headers, method } = request;
    if (method !== 'PUT' || headers['x-amz-copy-source']) return false;
    if (headers['content-md5'] ?? headers['x-amz-checksum-sha256']) return false;
    response.writeHead(400).end('<Error><Code>InvalidRequest</Code></Error>');
    return true;
  });
  await store.put('key', Buffer.from('no hash given'));
  const base = { key: 'log', etag: '"t"', size: 6 << 20, modified: 0 };
  expect(await store.append('log', base, Buffer.from('tail'))).toEqual({ etag: '"p"' });
  expect(puts.map(({ bytes }) => bytes)).toEqual([13, 0, 4]);
});
