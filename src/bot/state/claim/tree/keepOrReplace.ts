import type { StateContext } from '../../format/context.ts';
import { pathToText } from '../../format/entryPath.ts';
import { isEmpty } from '../../local/isEmpty.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';
import type { Claim } from '../claim.ts';
import { isNewest } from './isNewest.ts';
import { lostWrites } from './lostWrites.ts';
import type { Marker } from './marker.ts';

/*
 * Which tree is the bot's state: the one that lies in the state directory, or the newest snapshot.
 *
 * A *marker* lies beside each restored tree (`marker.ts`): whose tree it is, of which generation, from which snapshot, and
 * whether all of it is there. A *claimant* is a holder that set out to claim the bot for that tree.
 *
 *  1. Before a claim, `noteClaimant` notes the holder in the marker, if the tree is the newest.
 *  2. After it, `keepOrReplace` decides. Kept is a complete tree when nobody else has had the bot since (`isNewest`), and
 *     anything that lies there when nothing was ever saved. Anything else gives way to what is saved.
 *  3. A machine that went down may have lost writes. After another boot, a tree is kept only where it still agrees with the
 *     newest snapshot in all that has not changed since (`lostWrites`, `firstLost`, `agreedAt`).
 *  4. `markerFor` says what the marker is from now on; `keepMarker` puts it back when the bot has removed or changed it.
 */

export type TreeChoice = 'keep' | 'replace';

/** Of the tree at `root`, for a claim that has been taken; `marker`: what was found beside it. */
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

/** All that is saved, and perhaps more: nobody else has had the bot since. */
function isNewerThanSaved({ bot }: StateContext, claim: Claim, marker: Marker | undefined): boolean {
  if (!marker?.complete || marker.bot !== bot) return false;
  // A tree of generation 0 is what a query was asked on, with all that it may have written.
  if (marker.generation === 0) return false;
  return marker.generation === claim.generation || isNewest(marker, claim.previous);
}
