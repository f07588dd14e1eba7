import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Marker, readMarker, writeMarker } from '../local/marker.ts';
import { openRoot } from '../local/treeRoot.ts';
import type { Holding } from './holding.ts';

/** How many that died one after the other are remembered. */
const CLAIMANTS = 16;

/**
 * Whether nobody else has had the bot since the tree around the marker was its state: then it holds all that is saved, and
 * perhaps more. `held`: by whom the bot is held, or was before our claim.
 */
export function isNewest(marker: Pick<Marker, 'generation' | 'claimants'>, held: Holding): boolean {
  return marker.generation === held.generation || marker.claimants.includes(held.holder);
}

/**
 * Notes, before a claim that takes the bot from `held`, who takes it for the tree in `dir`. Only where that is the newest:
 * another one is to be replaced, also when this holder dies before it has done so.
 */
export function noteClaimant(dir: string, holder: string, held: Holding): void {
  if (!existsSync(dir)) return;
  const root = openRoot(dir);
  const marker = readMarker(root);
  if (!marker) return;
  const others = marker.claimants.filter((claimant) => claimant !== holder);
  const claimants = isNewest({ ...marker, claimants: others }, held)
    ? [...others.slice(1 - CLAIMANTS), holder]
    : others;
  if (!isDeepStrictEqual(claimants, marker.claimants)) writeMarker(root, { ...marker, claimants });
}
