import type { Clock } from '../base/clock.ts';
import { RuntimeError } from '../base/errors.ts';
import type { ObjectStore } from './objectStore.ts';
import { defaultBackoff } from './retry/backoff.ts';
import { type Retry, withRetry } from './retry/retry.ts';

import type { Buckets, StoresConfig } from './storeConfig.ts';

/**
 * The room of the object store: one interface (`objectStore`), three adapters, and around each of them patience (`retry/`).
 *
 *   openStores     the configuration in, buckets out: loads one adapter, by the first call that needs it, and wraps it
 *   objectStore    what every adapter promises; test/contract/objectStore.test.ts holds all three to it
 *   s3/            static keys, requests signed and sent by ourselves (`s3/transport`): what containers use, since it is small
 *   aws/           the AWS SDK: for its chain of credentials, a part of its own
 *   file/          a folder: the embedded store
 *   checkKey       which keys all of them take
 *   measuredBody, mappedBody, readAll   bodies, counted and hashed on their way
 *
 * An adapter says what happened and whether trying again may help. It never tries again itself.
 */

export interface StoresDeps {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Called before each pause between two attempts. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

export interface Stores {
  /**
   * A bucket that retries for `retryMs` milliseconds, by default START_TIMEOUT; 0: not at all. Its adapter is loaded by
   * the first call and shared by all. The code bucket is created only where `createCodeBucket` says so; the others are, on their
   * first write.
   */
  open(bucket: keyof Buckets, retryMs?: number): Promise<ObjectStore>;
  close(): Promise<void>;
}

export function openStores(config: StoresConfig, deps: StoresDeps): Stores {
  const opened = new Map<keyof Buckets, Promise<ObjectStore>>();
  return {
    async open(bucket, retryMs = config.startTimeoutMs) {
      let store = opened.get(bucket);
      if (!store) {
        store = openAdapter(config, bucket, deps.clock);
        opened.set(bucket, store);
      }
      return withRetry(await store, { deadlineMs: retryMs, ...defaultBackoff }, deps);
    },
    async close() {
      const stores = await Promise.all(opened.values());
      opened.clear();
      for (const store of stores) store.close();
    },
  };
}

/** A bot's start loads the adapter that it uses and no other. */
async function openAdapter(
  { store, buckets, createCodeBucket = false }: StoresConfig,
  role: keyof Buckets,
  clock: Clock,
): Promise<ObjectStore> {
  const bucket = buckets[role];
  const createBucket = role !== 'code' || createCodeBucket;
  switch (store.type) {
    case 'file': {
      const { openFileStore } = await import('./parts/fileStore.ts');
      return openFileStore(store.path, bucket, { createBucket, clock });
    }
    case 's3': {
      const { openS3Store } = await import('./s3/s3.ts');
      return openS3Store({ ...store, bucket, createBucket, clock });
    }
    case 'none':
      throw new RuntimeError('config', 'no store is configured', {
        op: 'store.open',
        hint: 'Set STORE_URL (file:///path or s3://) or MINIO_ENDPOINT.',
      });
    case 'aws': {
      const { openAwsStore } = await import('./parts/awsStore.ts');
      return openAwsStore({ ...store, bucket, createBucket });
    }
  }
}
