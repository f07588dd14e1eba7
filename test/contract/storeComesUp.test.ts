import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { openStores } from '../../src/store/openStores.ts';
import { getBytes } from '../../src/store/readAll.ts';
import { type Minio, startMinio } from '../support/store/minio.ts';

let minio: Minio;
beforeAll(async () => {
  minio = await startMinio({ start: false });
});
afterAll(() => minio.stop());

test('a store that is down at first, and goes away and comes back later, is waited for', async () => {
  const buckets = { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' };
  const { endpoint } = minio;
  const keys = { accessKey: new Secret(minio.accessKey), secretKey: new Secret(minio.secretKey) };
  let retries = 0;
  const onRetry = () => {
    retries += 1;
  };
  const stores = openStores(
    {
      store: { type: 's3', endpoint, region: 'us-east-1', ...keys, sessionToken: undefined },
      buckets,
      startTimeoutMs: 60_000,
    },
    { clock: systemClock, random: Math.random, onRetry },
  );
  const state = await stores.open('state');
  const put = state.put('head', Buffer.from('saved'));
  await minio.start();
  await put;
  expect(retries).toBeGreaterThan(0);

  await minio.kill();
  retries = 0;
  const get = getBytes(state, 'head', { maxBytes: 100 });
  await minio.start();
  expect((await get).bytes.toString()).toBe('saved');
  expect(retries).toBeGreaterThan(0);
  await stores.close();
});
