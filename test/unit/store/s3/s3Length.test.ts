import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { openS3Store } from '../../../../src/store/s3/s3.ts';

test('an answer without a length is refused, not read for ever', async () => {
  const server = createServer((_, response) => {
    response.setHeader('etag', '"t"');
    response.write('in pieces, ');
    response.end('without a length');
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
  await expect(store.get('key')).rejects.toMatchObject({ code: 'unavailable', retryable: false });
  store.close();
});
