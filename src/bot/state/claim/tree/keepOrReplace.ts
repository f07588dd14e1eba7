import type { StateContext } from '../../format/context.ts';
import { pathToText } from '../../format/entryPath.ts';
import { isEmpty } from '../../local/isEmpty.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';
import type { Claim } from '../claim.ts';
import { isNewest } from './isNewest.ts';
import { lostWrites } from './lostWrites.ts';
import type { Marker } from './marker.ts';

/*
 * Which tree is the bot's state: the one in the state directory, or the newest snapshot.
 *
 * A *marker* lies beside each restored tree (`marker.ts`). It names the tree's holder, generation and snapshot, and says whether the tree
 * is complete. A *claimant* is a holder that was about to claim the bot for that tree.
 *
 *  1. Before a claim, `noteClaimant` notes the holder in the marker, if the tree is the newest.
 *  2. After the claim, `keepOrReplace` decides. It keeps a complete tree where no other instance has had the bot since (`isNewest`). It
 *     keeps any tree where nothing was ever saved. It replaces all others by the newest snapshot.
 *  3. A machine that went down may have lost writes. After another boot, a tree is kept only where it still agrees with the
 *     newest snapshot in all that has not changed since (`lostWrites`, `firstLost`, `agreedAt`).
 *  4. `markerFor` says what the marker is from now on; `keepMarker` puts it back when the bot has removed or changed it.
 */

export type TreeChoice = 'keep' | 'replace';

/** Decides about the tree at `root` after a claim; `marker`: what was found beside the tree. */
export async function keepOrReplace(
  context: StateContext,
  claim: Claim,
  { root, marker }: { readonly root: TreeRoot; readonly marker: Marker | undefined },
  signal: AbortSignal,
): Promise<TreeChoice> {
  if (!isNewerThanSaved(context, claim, marker)) {
    const { snapshots, legacy } = claim.head;
    // Where nothing was ever saved, there is nothing to put in its place.
    if (snapshots.length > 0 || legacy || isEmpty(root)) return 'replace';
  }
  const lost = marker && (await lostWrites(context, claim, { root, marker }, signal));
  if (lost === undefined) return 'keep';
  context.warn('the local state lost writes when the machine went down; the last snapshot takes its place', {
    path: pathToText(lost),
  });
  return 'replace';
}

/** The tree has everything that is saved, and perhaps more: no other instance has had the bot since. */
function isNewerThanSaved({ bot }: StateContext, claim: Claim, marker: Marker | undefined): boolean {
  if (!marker?.complete || marker.bot !== bot) return false;
  // A tree of generation 0 was restored for a query, which may have written to it.
  if (marker.generation === 0) return false;
  return marker.generation === claim.generation || isNewest(marker, claim.previous);
}
