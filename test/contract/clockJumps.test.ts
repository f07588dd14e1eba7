import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { openS3Store } from '../../src/store/s3/s3.ts';
import { collect } from '../support/collect.ts';
import { openMinioBackend } from './backends.ts';

const HOUR_MS = 3_600_000;

function wrongBy(ms: () => number): Clock {
  return { ...systemClock, now: () => Date.now() + ms() };
}

async function place() {
  const backend = openMinioBackend('s3', `clocks-${randomBytes(6).toString('hex')}`, inject('minio'));
  await backend.store.put('first', Buffer.from('makes the bucket'));
  onTestFinished(() => backend.remove());
  const { endpoint, accessKey, secretKey } = inject('minio');
  return (clock: Clock) => {
    const store = openS3Store({
      endpoint,
      bucket: backend.place.bucket,
      createBucket: false,
      region: 'us-east-1',
      accessKey: new Secret(accessKey),
      secretKey: new Secret(secretKey),
      sessionToken: undefined,
      clock,
    });
    onTestFinished(() => store.close());
    return store;
  };
}

test('a clock that is set by hours while the bot runs: the store is asked by its own time, there and back', async () => {
  const open = await place();
  let byMs = 0;
  const store = open(wrongBy(() => byMs));
  await store.put('key', Buffer.from('0'));
  for (const hours of [5, -9, 0, 24 * 400, 0]) {
    byMs = hours * HOUR_MS;
    const text = Buffer.from(`${hours}`);
    const { etag } = await store.put('key', text, { ifMatch: (await store.head('key')).etag });
    const { body } = await store.get('key', { ifMatch: etag });
    expect(Buffer.concat(await body.toArray()).equals(text)).toBe(true);
    expect((await collect(store.list(''))).map(({ key }) => key)).toEqual(['first', 'key']);
  }
  // What has no body in its refusal, and one whose body is a stream.
  byMs = 7 * HOUR_MS;
  expect((await store.head('key')).size).toBe(1);
  byMs = 0;
  const bytes = randomBytes(2 << 20);
  await store.put('large', { size: bytes.length, open: () => Readable.from([bytes]) });
  expect((await store.head('large')).size).toBe(bytes.length);
});

test('a clock that is wrong from the beginning is told', async () => {
  const open = await place();
  const store = open(wrongBy(() => 2 * HOUR_MS));
  const told = { code: 'denied', retryable: false, hint: expect.stringContaining('clock') };
  await expect(store.get('first')).rejects.toMatchObject(told);
  await expect(store.put('key', Buffer.from('x'))).rejects.toMatchObject(told);
});
