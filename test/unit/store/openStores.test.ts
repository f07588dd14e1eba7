import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { openStores } from '../../../src/store/openStores.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';

const buckets = { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' };
const deps = { clock: systemClock, random: () => 0 };

test('buckets are made by their first write, but for that of the code', async () => {
  const path = await mkdtemp(join(tmpdir(), 'stores-'));
  const stores = openStores({ store: { type: 'file', path }, buckets, startTimeoutMs: 100 }, deps);
  const state = await stores.open('state');
  await state.put('head', Buffer.from('{}'));
  await expect((await stores.open('code')).put('x.zip', Buffer.from('x'))).rejects.toMatchObject({
    code: 'not-found',
  });
  expect((await (await stores.open('state')).head('head')).size).toBe(2);
  expect((await readdir(path)).filter((name) => !name.startsWith('.'))).toEqual(['bot-state']);
  await stores.close();
  await rm(path, { recursive: true });
});

test('a store that is away is tried until the deadline of the call, START_TIMEOUT by default', async () => {
  let now = 0;
  // With a signal: the limit of an attempt, which is over before.
  const sleep = async (ms: number, limit?: AbortSignal) => {
    if (limit) await systemClock.sleep(ms, limit);
    else now += ms;
  };
  const clock = { now: () => now, elapsed: () => now, sleep };
  const attempts: number[] = [];
  const secret = new Secret('secret');
  const s3 = {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    accessKey: secret,
    secretKey: secret,
  } as const;
  const stores = openStores(
    { store: { type: 's3', ...s3, sessionToken: undefined }, buckets, startTimeoutMs: 5000 },
    { ...deps, clock, onRetry: ({ attempt }) => attempts.push(attempt) },
  );
  await expect((await stores.open('code', 0)).head('x')).rejects.toMatchObject({ code: 'unavailable' });
  expect(attempts).toEqual([]);
  await expect((await stores.open('code')).head('x')).rejects.toMatchObject({ code: 'unavailable' });
  expect(now).toBe(5000);
  expect(attempts.length).toBeGreaterThan(3);
  await stores.close();
});

test('whoever uploads code creates its bucket too', async () => {
  const path = await temporaryDirectory();
  const config = {
    store: { type: 'file', path },
    buckets,
    startTimeoutMs: 0,
    createCodeBucket: true,
  } as const;
  const code = await openStores(config, deps).open('code');
  await code.put('a', Buffer.from('x'));
  expect((await code.head('a')).size).toBe(1);
});
