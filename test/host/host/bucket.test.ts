import { Client } from 'minio';
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { openBucketSource } from '../../../src/host/sources/bucket.ts';
import type { Listing } from '../../../src/host/sources/source.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { openS3Store } from '../../../src/store/s3/s3.ts';
import { collect } from '../../support/collect.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const bot = (name: string, more = '') =>
  `name: ${name}\ntype: realtime\nruntime: python3.11\ncode: {file: ${name}.zip}\nentrypoints: {bot: main.py}\n${more}`;

describe('a bucket of bots', { timeout: 200_000 }, () => {
  let listings: Listing[];
  let failures: unknown[];
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    [listings, failures, stop] = [[], [], new AbortController()];
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const names = () => [...(listings.at(-1)?.keys() ?? [])].sort();
  const until = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 50 });

  async function open(
    prefix: string,
    clock: Clock = systemClock,
    through = (store: ObjectStore): ObjectStore => store,
  ) {
    const bucket = testBucket('bots');
    const { endpoint, port, accessKey, secretKey } = inject('minio');
    const client = new Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey, secretKey });
    await client.makeBucket(bucket);
    const store = await openS3Store({
      endpoint,
      region: 'us-east-1',
      accessKey: new Secret(accessKey),
      secretKey: new Secret(secretKey),
      sessionToken: undefined,
      bucket,
      createBucket: false,
      clock: systemClock,
    });
    const label = `s3://${bucket}/${prefix}`;
    const source = openBucketSource({ label, store: through(store), prefix, clock });
    const begin = () => {
      running = source.run(
        { listed: (listing) => listings.push(listing), failed: (error) => failures.push(error) },
        stop.signal,
      );
    };
    const put = (key: string, text: string) => client.putObject(bucket, key, text);
    return { source, begin, put, remove: (key: string) => client.removeObject(bucket, key), client, bucket };
  }

  test('is listed by ETag, and only below its prefix', async () => {
    const { begin, put, remove } = await open('bots');
    await put('bots/a.yaml', bot('a'));
    await put('bots/b.yaml', 'name: {');
    await put('bots/deeper/c.yaml', bot('c'));
    await put('other.yaml', bot('d'));
    begin();
    await until(() => expect(names()).toEqual(['a', 'b']));
    expect(listings.at(-1)!.get('b')).toHaveProperty('problems');
    const first = listings.at(-1)!.get('a');
    await put('bots/b.yaml', bot('b'));
    await until(() => expect(listings.at(-1)!.get('b')).toHaveProperty('spec'));
    expect(listings.at(-1)!.get('a')).toBe(first);
    await remove('bots/a.yaml');
    await until(() => expect(names()).toEqual(['b']));
  });

  test('is written to', async () => {
    const { source, begin } = await open('');
    begin();
    await until(() => expect(listings.length).toBeGreaterThan(0));
    await source.writer!.apply(`# mine\n${bot('a')}`);
    await until(() => expect(names()).toEqual(['a']));
    for (const code of ['', 'code: {path: ./here}\n'])
      await expect(
        source.writer!.apply(bot('b').replace('code: {file: b.zip}\n', code)),
      ).rejects.toMatchObject({ code: 'config', problems: ['code: expected {file: KEY} in a bucket'] });
    await source.writer!.enable('a', false);
    await until(() => expect(listings.at(-1)!.get('a')).toMatchObject({ spec: { enabled: false } }));
    await source.writer!.remove('a');
    await until(() => expect(names()).toEqual([]));
  });

  test('is read once more for what was written while it was read', async () => {
    const [reading, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let reads = 0;
    // No time passes: nothing is read for it.
    const { source, begin } = await open('', fakeClock(Date.now()), (store) => ({
      ...store,
      list: async function* (...args) {
        const found = await collect(store.list(...args));
        if (reads++ === 0) {
          reading.resolve();
          await written.promise;
        }
        yield* found;
      },
    }));
    begin();
    await reading.promise;
    await source.writer!.apply(bot('a'));
    written.resolve();
    await until(() => expect(names()).toEqual(['a']));
    expect(reads).toBeGreaterThan(1);
  });

  test('that is gone is a failure, and not empty', async () => {
    const { begin, put, remove, client, bucket } = await open('');
    await put('a.yaml', bot('a'));
    begin();
    await until(() => expect(names()).toEqual(['a']));
    await remove('a.yaml');
    await client.removeBucket(bucket);
    const seen = listings.length;
    await until(() => expect(failures.length).toBeGreaterThan(0));
    // One may have been asked for while the bucket was still there.
    expect(listings.slice(seen).filter((listing) => listing.size === 0).length).toBeLessThanOrEqual(1);
  });
});
