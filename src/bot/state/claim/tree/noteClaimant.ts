import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { openRoot } from '../../local/treeRoot.ts';
import type { Holding } from '../holding.ts';
import { isNewest } from './isNewest.ts';
import { readMarker, writeMarker } from './marker.ts';

/** How many that died one after the other are remembered. */
const CLAIMANTS = 16;

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
