import type { Holding } from '../holding.ts';
import type { Marker } from './marker.ts';

/**
 * Whether no other instance has had the bot since the tree around the marker was its state. Such a tree has everything that is saved, and
 * perhaps more. `held`: the instance that has the bot, or had it before this claim.
 */
export function isNewest(marker: Pick<Marker, 'generation' | 'claimants'>, held: Holding): boolean {
  return marker.generation === held.generation || marker.claimants.includes(held.holder);
}
