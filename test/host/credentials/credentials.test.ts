import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, inject, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Credentials } from '../../../src/host/credentials/credentials.ts';
import { type CredentialsOptions, openCredentials } from '../../../src/host/credentials/openCredentials.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { readSealedKeys } from '../../../src/store/s3/renewedKeys.ts';
import { openS3Store } from '../../../src/store/s3/s3.ts';
import type { Buckets } from '../../../src/store/storeConfig.ts';
import { collect } from '../../support/collect.ts';
import { type FakeClock, fakeClock } from '../../support/fakeClock.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { aSpec } from '../../support/host/aSpec.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { memoryLog } from '../../support/memoryLog.ts';
import { startFaultProxy } from '../../support/store/faultProxy.ts';
import { minioClient } from '../../support/store/minio.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const minio = inject('minio');
const buckets: Buckets = {
  code: testBucket('code'),
  state: testBucket('state'),
  logs: testBucket('logs'),
  results: testBucket('results'),
};
const own = {
  type: 's3',
  region: 'us-east-1',
  accessKey: new Secret(minio.accessKey),
  secretKey: new Secret(minio.secretKey),
  sessionToken: undefined,
} as const;
const user = { uid: 200_001, gid: 200_001 };
const spec = aSpec({ name: 'mine', code: { file: 'sma/1/code.zip', sha256: undefined } });
const signal = () => AbortSignal.timeout(20_000);
/** The shortest that the store gives. */
const DURATION_MS = 900_000;

const opened: Credentials[] = [];
afterEach(async () => {
  for (const credentials of opened.splice(0)) await credentials.close();
});

beforeAll(async () => {
  const client = minioClient(minio);
  for (const bucket of Object.values(buckets)) await client.makeBucket(bucket);
  for (const [bucket, key] of [
    [buckets.code, 'sma/1/code.zip'],
    [buckets.code, 'sma/2/code.zip'],
    [buckets.state, 'mine/head'],
    [buckets.state, 'mine-too/head'],
    [buckets.logs, 'logs/other/20260101.log'],
  ] as const)
    await client.putObject(bucket, key, 'x');
});

function open(folder: string, clock: FakeClock, changes: Partial<CredentialsOptions> = {}): Credentials {
  const credentials = openCredentials({
    store: { ...own, endpoint: minio.endpoint },
    endpoint: 'http://store:9000',
    buckets,
    folder,
    clock,
    log: memoryLog().log,
    durationMs: DURATION_MS,
    ...changes,
  });
  opened.push(credentials);
  return credentials;
}

/** What an instance is given, and how it opens a bucket with that. */
async function instance(credentials: Credentials, role: 'bot' | 'query', clock = fakeClock(Date.now())) {
  const { env, mounts } = credentials.shape(spec, role);
  const secrets = await credentials.grant(spec, role, user, signal());
  const [mount] = mounts;
  if (mount?.from.type !== 'folder') throw new Error('expected a folder');
  const renewal = {
    file: join(mount.from.path, env.MINIO_KEYS_FILE!.slice(mount.target.length)),
    seal: secrets.MINIO_KEYS_SEAL!,
  };
  const keys = readSealedKeys(renewal)!;
  const bucket = (name: keyof Buckets): ObjectStore =>
    openS3Store({
      ...keys,
      renewal,
      clock,
      endpoint: minio.endpoint,
      region: 'us-east-1',
      bucket: buckets[name],
      createBucket: false,
    });
  return { env, mount, renewal, keys, bucket };
}

test('a bot has keys to its own objects and to no others', async () => {
  const { bucket, keys } = await instance(open(await temporaryDirectory(), fakeClock(Date.now())), 'bot');
  expect(keys.accessKey.reveal()).not.toBe(minio.accessKey);
  const [state, code, logs, results] = (['state', 'code', 'logs', 'results'] as const).map(bucket) as [
    ObjectStore,
    ObjectStore,
    ObjectStore,
    ObjectStore,
  ];
  const body = Buffer.from('new');
  const { etag } = await state.put('mine/packs/1', body, { ifNoneMatch: '*' });
  expect(await failureOf(state.put('mine/packs/1', body, { ifNoneMatch: '*' }))).toBe('conflict');
  await state.put('mine/packs/1', body, { ifMatch: etag });
  expect((await collect(state.list('mine/'))).map(({ key }) => key)).toEqual(['mine/head', 'mine/packs/1']);
  await state.delete('mine/packs/1');
  await logs.put('logs/mine/20260101.log', body);
  await results.put('mine/1/result.json', body);
  expect((await code.head('sma/1/code.zip')).size).toBe(1);

  const refused = [
    state.get('mine-too/head'),
    state.put('mine-too/head', body),
    state.delete('mine-too/head'),
    collect(state.list('')),
    collect(state.list('mine-too/')),
    code.head('sma/2/code.zip'),
    code.put('sma/1/code.zip', body),
    collect(code.list('')),
    logs.get('logs/other/20260101.log'),
    results.put('other/1/result.json', body),
  ].map(failureOf);
  expect(new Set(await Promise.all(refused))).toEqual(new Set(['denied']));
  // Negative control: with the host's own keys, all of that is open.
  const host = openS3Store({ ...own, endpoint: minio.endpoint, bucket: buckets.state, createBucket: false });
  expect((await collect(host.list('mine-too/'))).length).toBe(1);
});

test('a query reads the state and writes nothing but its result', async () => {
  const { bucket } = await instance(open(await temporaryDirectory(), fakeClock(Date.now())), 'query');
  expect((await bucket('state').head('mine/head')).size).toBe(1);
  await bucket('results').put('mine/2/result.json', Buffer.from('{}'));
  const refused = [
    bucket('state').put('mine/head', Buffer.from('x')),
    bucket('state').delete('mine/head'),
    bucket('logs').put('logs/mine/x', Buffer.from('x')),
  ].map(failureOf);
  expect(new Set(await Promise.all(refused))).toEqual(new Set(['denied']));
});

test('keys are renewed while they are good, and a store that is open goes on with the new ones', async () => {
  const clock = fakeClock(Date.now());
  const folder = await temporaryDirectory();
  const credentials = open(folder, clock);
  const { renewal, keys, bucket } = await instance(credentials, 'bot', clock);
  const { renewal: queryRenewal } = await instance(credentials, 'query', clock);
  const state = bucket('state');
  const current = () => readSealedKeys(renewal)!;
  await clock.advance(DURATION_MS / 2);
  expect(current().accessKey.reveal()).toBe(keys.accessKey.reveal());
  // The store has its own clock: only when we ask is ours.
  await clock.advance(DURATION_MS / 5);
  await expect.poll(() => current().accessKey.reveal()).not.toBe(keys.accessKey.reveal());
  expect(readSealedKeys(queryRenewal)).toBeDefined();
  clock.set(Date.now());
  expect((await state.head('mine/head')).size).toBe(1);
});

test('keys that the store refuses are looked for anew before anything fails for good', async () => {
  const clock = fakeClock(Date.now());
  const credentials = open(await temporaryDirectory(), clock);
  const { renewal, keys } = await instance(credentials, 'bot', clock);
  const stale = openS3Store({
    ...keys,
    secretKey: new Secret('no-longer-good-at-all'),
    accessKey: new Secret('GONEGONEGONEGONEGONE'),
    renewal,
    clock,
    endpoint: minio.endpoint,
    region: 'us-east-1',
    bucket: buckets.state,
    createBucket: false,
  });
  // Said to be worth another try, which every caller makes.
  await expect(stale.head('mine/head')).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  expect((await stale.head('mine/head')).size).toBe(1);
});

test('a host that comes back hands out the same seals and renews what it finds running', async () => {
  const clock = fakeClock(Date.now());
  const folder = await temporaryDirectory();
  const first = await instance(open(folder, clock), 'bot', clock);
  const again = open(folder, clock);
  expect(again.shape(spec, 'bot')).toEqual(open(folder, clock).shape(spec, 'bot'));
  again.adopt(spec, 'bot');
  await clock.advance(DURATION_MS * 0.7);
  await expect
    .poll(() => readSealedKeys(first.renewal)?.accessKey.reveal())
    .not.toBe(first.keys.accessKey.reveal());
  await again.revoke('mine');
  expect(readSealedKeys(first.renewal)).toBeUndefined();
});

test('another bot opens nothing of it; the secret of all seals is root’s alone', async () => {
  const folder = await temporaryDirectory();
  const credentials = open(folder, fakeClock(Date.now()));
  const { renewal } = await instance(credentials, 'bot');
  const { MINIO_KEYS_SEAL: other } = await credentials.grant(aSpec({ name: 'other' }), 'bot', user, signal());
  expect(readSealedKeys({ ...renewal, seal: other! })).toBeUndefined();
  const query = await credentials.grant(spec, 'query', user, signal());
  expect(query.MINIO_KEYS_SEAL!.reveal()).not.toBe(renewal.seal.reveal());
  expect(statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600);
  expect(readFileSync(renewal.file, 'latin1')).toMatch(/^[\w-]+\n([\w-]+\n)?$/);
  expect(credentials.shape(spec, 'sandbox')).toEqual({ env: {}, mounts: [] });
  expect(await credentials.grant(spec, 'sandbox', user, signal())).toEqual({});
});

test('a store without STS: the host’s own keys, and it is said', async () => {
  const proxy = await startFaultProxy(minio.port);
  try {
    proxy.inject({
      when: ({ method, path }) => method === 'POST' && path === '/',
      fault: { status: 501, code: 'NotImplemented' },
      times: 99,
    });
    const credentials = open(await temporaryDirectory(), fakeClock(Date.now()), {
      store: { ...own, endpoint: proxy.endpoint },
    });
    const { keys } = await instance(credentials, 'bot');
    expect(keys.accessKey.reveal()).toBe(minio.accessKey);
    expect(credentials.description).toContain("the host's own keys");
    // One that has narrowed keys before gives none away.
    const folder = await temporaryDirectory();
    await instance(open(folder, fakeClock(Date.now())), 'bot');
    const later = open(folder, fakeClock(Date.now()), { store: { ...own, endpoint: proxy.endpoint } });
    expect(await failureOf(later.grant(spec, 'bot', user, signal()))).toBe('refused');
  } finally {
    await proxy.close();
  }
});

test.each([
  [400, 'InvalidParameterValue', 'config'],
  [403, 'AccessDenied', 'config'],
  [403, 'SignatureDoesNotMatch', 'denied'],
  [503, 'SlowDown', 'unavailable'],
] as const)(
  'a store that answers %i %s to one bot gives it no keys at all',
  async (status, code, failure) => {
    const proxy = await startFaultProxy(minio.port);
    proxy.inject({ when: ({ method }) => method === 'POST', fault: { status, code }, times: 99 });
    const store = { ...own, endpoint: proxy.endpoint };
    const credentials = open(await temporaryDirectory(), fakeClock(Date.now()), { store });
    expect(await failureOf(credentials.grant(spec, 'bot', user, signal()))).toBe(failure);
    await proxy.close();
  },
);

test('a store that does not answer gives no keys, and what was given stays', async () => {
  const proxy = await startFaultProxy(minio.port);
  const clock = fakeClock(Date.now());
  const credentials = open(await temporaryDirectory(), clock, {
    store: { ...own, endpoint: proxy.endpoint },
  });
  const { renewal, keys } = await instance(credentials, 'bot', clock);
  await proxy.close();
  expect(await failureOf(credentials.grant(aSpec({ name: 'other' }), 'bot', user, signal()))).toBe(
    'unavailable',
  );
  await clock.advance(DURATION_MS);
  expect(readSealedKeys(renewal)?.accessKey.reveal()).toBe(keys.accessKey.reveal());
});

test('keys that would open more than one object, stores without keys, and a damaged secret are refused', async () => {
  const folder = await temporaryDirectory();
  const wide = aSpec({ code: { file: 'sma/*', sha256: undefined } });
  expect(await failureOf(open(folder, fakeClock()).grant(wide, 'bot', user, signal()))).toBe('config');
  expect(() => open(folder, fakeClock(), { store: { type: 'file', path: '/x' } })).toThrow(/not file/);
  const damaged = await temporaryDirectory();
  mkdirSync(join(damaged, 'secret'));
  expect(() => open(damaged, fakeClock())).toThrow();
  rmSync(join(damaged, 'secret'), { recursive: true });
});
