import { isIP } from 'node:net';
import { RuntimeError } from '../../base/errors.ts';
import { parseOrigin } from '../../bot/config/endpoint.ts';
import type { StoreConfig } from '../../store/storeConfig.ts';
import { type Reachable, thisMachine } from '../engine/docker/networks/networkOptions.ts';

/** How bots reach the store, which may be another way than the host's own. */
export interface StoreAccess {
  /** What was given: one that is reached over a network. */
  readonly store: Extract<StoreConfig, { type: 's3' }>;
  /** Origin: `http://minio:9000`. */
  readonly endpoint: string;
  readonly reachable: Reachable;
}

/**
 * `told` is MINIO_CONTAINER_ENDPOINT. A store on the host's loopback is reached by the machine's name inside; it has to listen
 * there too. Throws `config` for a store that is reached by no network.
 */
export function reachStore(store: StoreConfig, told: string | undefined): StoreAccess {
  if (store.type !== 's3')
    throw new RuntimeError(
      'config',
      `a host needs a store that its bots reach over the network, not ${store.type}`,
      {
        op: 'host.store',
        hint: 'Set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY.',
      },
    );
  const endpoint =
    told === undefined
      ? store.endpoint
      : parseOrigin(told, store.endpoint.startsWith('https:') ? 'https' : 'http');
  if (endpoint === undefined)
    throw new RuntimeError(
      'config',
      `MINIO_CONTAINER_ENDPOINT=${JSON.stringify(told)} is not an address of a store`,
      {
        hint: 'Expected host:port, or a URL.',
      },
    );
  const url = new URL(endpoint);
  if (isLoopback(url.hostname)) url.hostname = thisMachine;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return { store, endpoint: url.origin, reachable: { host: url.hostname, port } };
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}
