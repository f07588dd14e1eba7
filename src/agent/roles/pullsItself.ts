import { readCodeMarker } from '../../bot/code/codeMarker.ts';
import type { Config } from '../../bot/config/config.ts';

/**
 * Whether `execute --skip-sync` brings code and state itself: an archive and a store are configured, and on this volume nobody has
 * done so before, no init container and no earlier start. Only then: it takes a generation, and would take the bot from its own sidecar.
 */
export function pullsItself({ code, store, paths }: Config): boolean {
  if (code.file === undefined || store.type === 'none') return false;
  return readCodeMarker(paths.code)?.complete !== true;
}
