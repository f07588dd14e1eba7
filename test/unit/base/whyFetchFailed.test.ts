import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { whyFetchFailed } from '../../../src/base/whyFetchFailed.ts';
import { serverOf } from '../../support/serve/machines.ts';

async function failure(url: string, options: RequestInit = {}): Promise<Error> {
  return await fetch(url, options).then(
    ({ status }) => expect.fail(`it answered ${status}`),
    (error: Error) => error,
  );
}

test('a system error is its code, which is not in what fetch says', async () => {
  // The port of a client: taken as long as that is connected, and nobody listens there.
  const client = connect(await serverOf(() => undefined), '127.0.0.1');
  await once(client, 'connect');
  const error = await failure(`http://127.0.0.1:${client.localPort}/`);
  client.destroy();
  expect(error.message).toBe('fetch failed');
  expect(whyFetchFailed(error)).toBe('ECONNREFUSED');
});

test("what only Node has a code for is in Node's words", async () => {
  const port = await serverOf((request) => request.socket.destroy());
  expect(whyFetchFailed(await failure(`http://127.0.0.1:${port}/`))).toBe('other side closed');
});

test('what has no code is in its own words', async () => {
  const port = await serverOf((_, response) => void response.writeHead(302, { location: '/' }).end());
  const error = await failure(`http://127.0.0.1:${port}/`, { redirect: 'error' });
  expect(whyFetchFailed(error)).toBe('unexpected redirect');
});

test('what fetch has not wrapped says itself what it is', async () => {
  const error = await failure('http://127.0.0.1/', { signal: AbortSignal.abort(new Error('told to stop')) });
  expect(whyFetchFailed(error)).toBe('told to stop');
});
