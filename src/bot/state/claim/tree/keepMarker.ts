import { isDeepStrictEqual } from 'node:util';
import type { TreeRoot } from '../../local/treeRoot.ts';
import { type Marker, readMarker, writeMarker } from './marker.ts';

/**
 * Puts the marker back where the bot has removed or changed it: a restarted container would not know its local state for
 * its own. To be called only while the bot is ours; a later instance's marker stays.
 */
export function keepMarker(root: TreeRoot, marker: Marker): void {
  const there = readMarker(root);
  if (there && there.generation > marker.generation) return;
  // Who is about to claim the bot from this tree has noted so.
  const due = { ...marker, claimants: there?.claimants ?? [] };
  if (!isDeepStrictEqual(there, due)) writeMarker(root, due);
}
