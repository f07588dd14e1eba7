import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { ObjectStore } from '../../../src/store/objectStore.ts';
import { openStores } from '../../../src/store/openStores.ts';
import type { MinioAddress } from './minio.ts';

/** The bucket that holds the states of bots, as the runtime reaches it; closed by `using`. */
export async function openStateStore(
  minio: MinioAddress,
): Promise<Disposable & { readonly store: ObjectStore }> {
  const stores = openStores(
    {
      store: {
        type: 's3',
        endpoint: minio.endpoint,
        region: 'us-east-1',
        accessKey: new Secret(minio.accessKey),
        secretKey: new Secret(minio.secretKey),
        sessionToken: undefined,
      },
      buckets: { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' },
      startTimeoutMs: 1000,
    },
    { clock: systemClock, random: Math.random },
  );
  return { store: await stores.open('state'), [Symbol.dispose]: () => void stores.close() };
}
