import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { openS3Store } from '../../../../src/store/s3/s3.ts';
import { selfSigned } from '../../../support/store/selfSigned.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const listen = async (server: Server): Promise<number> => {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const failureOf = async (endpoint: string, connectMs = 20_000): Promise<unknown> => {
  const key = new Secret('secret-value');
  const store = openS3Store({
    endpoint,
    bucket: 'bucket',
    createBucket: false,
    region: 'us-east-1',
    accessKey: key,
    secretKey: key,
    sessionToken: undefined,
    connectMs,
  });
  const failure = await store.head('key').catch((error: unknown) => error);
  store.close();
  return failure;
};

test('a certificate that nobody vouches for is final, and the hint says what to give', async () => {
  const port = await listen(createHttpsServer(selfSigned()));
  expect(await failureOf(`https://127.0.0.1:${port}`)).toMatchObject({
    code: 'unavailable',
    retryable: false,
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
});

test('TLS to a port that does not speak it is final, and the hint names the variable', async () => {
  const port = await listen(createHttpServer());
  expect(await failureOf(`https://127.0.0.1:${port}`)).toMatchObject({
    code: 'unavailable',
    retryable: false,
    hint: expect.stringContaining('MINIO_USE_SSL'),
  });
});

test('a connection that does not come about in time is unavailable', async () => {
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  const port = await listen(silent);
  const failure = await failureOf(`https://127.0.0.1:${port}`, 200);
  expect(failure).toMatchObject({ code: 'unavailable', retryable: true });
  expect(failure).toHaveProperty('cause.message', 'no connection within 200 ms');
});

test('a host that does not exist is unavailable, and the name of the store holds no password', async () => {
  const failure = await failureOf('http://user:secret-word@no-such-host.invalid:9000');
  expect(failure).toMatchObject({ code: 'unavailable', retryable: true });
  expect((failure as Error).message).toContain('no-such-host.invalid:9000');
  expect((failure as Error).message).not.toContain('secret-word');
});
