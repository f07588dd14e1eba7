import type { Config } from '../../bot/config/config.ts';
import { type RecordSeal, recordSeal } from '../sandboxes/shared/recordSeal.ts';
import type { ServeOptions } from './serveOptions.ts';

/**
 * What records of sandboxes are sealed with for other hosts: the pool's own key, or else the key to the store that they share. Undefined: this
 * host shares its store with nobody, since it is a folder, or has no key that could be common to several.
 */
export function poolSeal(
  { store }: Pick<Config, 'store'>,
  { poolKey }: Pick<ServeOptions, 'poolKey'>,
): RecordSeal | undefined {
  if (store.type !== 's3' && store.type !== 'aws') return undefined;
  const key = poolKey ?? (store.type === 's3' ? store.secretKey : undefined);
  return key && recordSeal(key);
}
