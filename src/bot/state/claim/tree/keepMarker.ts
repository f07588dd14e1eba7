import { isDeepStrictEqual } from 'node:util';
import type { TreeRoot } from '../../local/treeRoot.ts';
import { type Marker, readMarker, writeMarker } from './marker.ts';

/**
 * Puts the marker back where the bot has removed or changed it: without it a restarted container would not recognise its local state.
 * Only for the instance that has the bot. The marker of a later instance stays.
 */
export function keepMarker(root: TreeRoot, marker: Marker): void {
  const there = readMarker(root);
  if (there && there.generation > marker.generation) return;
  // An instance that is about to claim the bot for this tree has noted itself there.
  const due = { ...marker, claimants: there?.claimants ?? [] };
  if (!isDeepStrictEqual(there, due)) writeMarker(root, due);
}
