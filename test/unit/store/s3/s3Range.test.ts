import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { getBytes } from '../../../../src/store/readAll.ts';
import { openS3Store } from '../../../../src/store/s3/s3.ts';

test('a range that begins elsewhere is not taken for the one that was asked for', async () => {
  const object = '0123456789';
  // A cache that answers with the range that somebody asked for before.
  const server = createServer((_, response) => {
    response.writeHead(206, { etag: '"t"', 'content-range': 'bytes 2-5/10', 'content-length': 4 });
    response.end(object.slice(2, 6));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const store = openS3Store({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    accessKey: new Secret('a'),
    secretKey: new Secret('b'),
    sessionToken: undefined,
    bucket: 'bucket',
    createBucket: false,
  });
  onTestFinished(() => store.close());
  const read = (start: number) =>
    getBytes(store, 'key', { range: { start, end: start + 4 }, maxBytes: object.length });
  expect((await read(2)).bytes.toString()).toBe('2345');
  await expect(read(4)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
});
