import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { openBucketSource } from '../../../../src/host/sources/bucket.ts';
import type { Listing } from '../../../../src/host/sources/source.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';

const bot = (name: string, more = '') =>
  `name: ${name}\ntype: realtime\nruntime: python3.11\ncode: {file: ${name}.zip}\nentrypoints: {bot: main.py}\n${more}`;

/** A bucket of bots whose store answers some reads otherwise. */
async function started(texts: Record<string, string>, trouble: (key: string) => RuntimeError | undefined) {
  const root = mkdtempSync(join(tmpdir(), 'bucket-'));
  const store = await openFileStore(root, 'bots', { createBucket: true, clock: systemClock });
  for (const [key, text] of Object.entries(texts)) await store.put(key, Buffer.from(text));
  const troubled: ObjectStore = {
    ...store,
    get: (key, options) => {
      const error = trouble(key);
      return error === undefined ? store.get(key, options) : Promise.reject(error);
    },
  };
  const [listings, failures, stop]: [Listing[], unknown[], AbortController] = [[], [], new AbortController()];
  const clock = { ...systemClock, sleep: (ms: number, s?: AbortSignal) => systemClock.sleep(ms / 50, s) };
  const source = openBucketSource({ label: 's3://bots/', store: troubled, prefix: '', clock });
  const running = source.run(
    { listed: (listing) => listings.push(listing), failed: (error) => failures.push(error) },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
    rmSync(root, { recursive: true, force: true });
  });
  return { store, listings, failures };
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 20 });

test.each(['denied', 'damaged', 'not-found', 'conflict'] as const)(
  'an object that cannot be read (%s) is that bot’s affair, and the others are listed',
  async (code) => {
    const { listings, failures } = await started({ 'a.yaml': bot('a'), 'b.yaml': bot('b') }, (key) =>
      key === 'b.yaml' ? new RuntimeError(code, 'not this one') : undefined,
    );
    await until(() => expect(listings.at(-1)?.get('a')).toHaveProperty('spec'));
    expect(listings.at(-1)?.get('b')).toMatchObject({ problems: ['cannot be read: not this one'] });
    expect(failures).toEqual([]);
  },
);

test('one that changes while it is read stays what it was until it can be read', async () => {
  let changing = false;
  const { store, listings } = await started({ 'a.yaml': bot('a') }, () =>
    changing ? new RuntimeError('conflict', 'it has changed') : undefined,
  );
  await until(() => expect(listings.at(-1)?.get('a')).toHaveProperty('spec'));
  changing = true;
  await store.put('a.yaml', Buffer.from(bot('a', 'labels: {new: "1"}')));
  const seen = listings.length;
  await until(() => expect(listings.length).toBeGreaterThan(seen));
  expect(listings.at(-1)?.get('a')).toMatchObject({ spec: { labels: {} } });
  changing = false;
  await until(() => expect(listings.at(-1)?.get('a')).toMatchObject({ spec: { labels: { new: '1' } } }));
});

test('negative control: a store that does not answer is a failure of all', async () => {
  const { listings, failures } = await started({ 'a.yaml': bot('a'), 'b.yaml': bot('b') }, (key) =>
    key === 'b.yaml' ? new RuntimeError('unavailable', 'away') : undefined,
  );
  await until(() => expect(failures.length).toBeGreaterThan(0));
  expect(listings).toEqual([]);
});
