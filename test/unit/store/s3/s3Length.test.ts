import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { withRetry } from '../../../../src/store/retry/retry.ts';
import { openS3Store } from '../../../../src/store/s3/s3.ts';
import { openPlace } from '../../../contract/place.ts';

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

describe.each(['s3', 'aws'] as const)('%s: an answer in chunks, without a length', (type) => {
  /** A proxy that cuts answers into chunks, in front of a store whose object has this tag and length. */
  const chunking = async (ofHead: Record<string, string>, cut = false) => {
    const body = Buffer.from('in pieces, without a length');
    let gets = 0;
    const server = createServer((request, response) => {
      response.setHeader('etag', '"t"');
      if (request.method === 'HEAD') return void response.writeHead(200, ofHead).end();
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      gets += 1;
      if (from > 0) response.writeHead(206, { 'content-range': `bytes ${from}-26/27` });
      response.write(body.subarray(from, 9 + from));
      // Whole as HTTP has it, and yet not all of it.
      response.end(cut && gets === 1 ? undefined : body.subarray(9 + from));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    const plain = openPlace(
      { type, endpoint, port, accessKey: 'a', secretKey: 'b', bucket: 'bucket' },
      false,
    );
    onTestFinished(() => {
      plain.close();
      server.close();
    });
    const policy = { deadlineMs: 10_000, baseMs: 1, capMs: 10 };
    return withRetry(plain, policy, { clock: systemClock, random: () => 0.5 });
  };

  test.each([false, true])('is taken for as long as the store says it is; cut short: %s', async (cut) => {
    const store = await chunking({ 'content-length': '27' }, cut);
    const { size, body } = await store.get('key');
    expect(size).toBe(27);
    expect(Buffer.concat(await body.toArray()).toString()).toBe('in pieces, without a length');
  });

  test('of an object that is another by now', async () => {
    const store = await chunking({ 'content-length': '27', etag: '"other"' });
    await expect(store.get('key')).rejects.toMatchObject({ code: 'conflict' });
  });
});
