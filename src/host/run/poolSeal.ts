import type { Config } from '../../bot/config/config.ts';
import { type RecordSeal, recordSeal } from '../sandboxes/shared/recordSeal.ts';
import type { ServeOptions } from './serveOptions.ts';

/**
 * What records of sandboxes are sealed with for other hosts: the pool's own key, or else the key to the store that they share. Undefined: its
 * store is a folder, which it shares with nobody.
 */
export function poolSeal(
  { store }: Pick<Config, 'store'>,
  { poolKey }: Pick<ServeOptions, 'poolKey'>,
): RecordSeal | undefined {
  return store.type === 's3' ? recordSeal(poolKey ?? store.secretKey) : undefined;
}
