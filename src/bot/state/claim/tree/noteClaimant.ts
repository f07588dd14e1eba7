import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { openRoot } from '../../local/treeRoot.ts';
import type { Holding } from '../holding.ts';
import { isNewest } from './isNewest.ts';
import { readMarker, writeMarker } from './marker.ts';

/** How many claimants are remembered that have died one after the other. */
const CLAIMANTS = 16;

/**
 * Notes a holder in the marker of the tree in `dir`, before the claim that takes the bot from `held`. It does so only where the tree is
 * the newest: any other tree has to be replaced, even where this holder dies before it has done so.
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
