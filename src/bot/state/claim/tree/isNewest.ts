import type { Holding } from '../holding.ts';
import type { Marker } from './marker.ts';

/**
 * Whether nobody else has had the bot since the tree around the marker was its state: then it holds all that is saved, and
 * perhaps more. `held`: by whom the bot is held, or was before our claim.
 */
export function isNewest(marker: Pick<Marker, 'generation' | 'claimants'>, held: Holding): boolean {
  return marker.generation === held.generation || marker.claimants.includes(held.holder);
}
