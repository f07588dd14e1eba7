import type { Clock } from '../../base/clock.ts';
import { createBucket } from '../../store/s3/createBucket.ts';
import { createS3Client } from '../../store/s3/s3Client.ts';
import type { Buckets, StoreConfig } from '../../store/storeConfig.ts';

type S3Config = Extract<StoreConfig, { type: 's3' }>;

/** The buckets that bots write to: their own keys can make none. Milliseconds as in the store's adapter. */
export async function makeBuckets(
  store: S3Config,
  { state, logs, results }: Buckets,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const bucket of new Set([state, logs, results])) {
    const client = createS3Client({ ...store, bucket, clock, connectMs: 5_000, idleMs: 30_000 });
    try {
      await createBucket(client, store.region, signal);
    } finally {
      client.close();
    }
  }
}
