import { RuntimeError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import type { StoreConfig } from '../../store/storeConfig.ts';
import type { Credentials } from './credentials.ts';

/**
 * The host's own keys for every bot, where the store can make no narrower ones: then only the agent's boundary keeps a bot from
 * them. `endpoint`: what instances reach the store by, where that is another than the host's. Throws `config` for a store
 * that instances cannot reach at all.
 */
export function createSharedKeys(store: StoreConfig, endpoint: string | undefined): Credentials {
  if (store.type !== 's3')
    throw new RuntimeError(
      'config',
      `a host needs a store that its bots reach over the network, not ${store.type}`,
      {
        op: 'host.credentials',
        hint: 'Set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY.',
      },
    );
  const env = {
    MINIO_ENDPOINT: endpoint ?? store.endpoint,
    MINIO_REGION: store.region,
  };
  return {
    description: "bots have the host's own keys to the store",
    shape: () => ({ env, mounts: [] }),
    grant: async () => ({
      MINIO_ACCESS_KEY: new Secret(store.accessKey.reveal()),
      MINIO_SECRET_KEY: new Secret(store.secretKey.reveal()),
    }),
    adopt: () => undefined,
    revoke: async () => undefined,
    close: async () => undefined,
  };
}
