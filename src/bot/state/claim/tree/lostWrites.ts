import { isRuntimeError } from '../../../../base/errors.ts';
import type { StateContext } from '../../format/context.ts';
import type { EntryPath } from '../../format/entryPath.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';
import { loadSnapshot } from '../../read/loadSnapshot.ts';
import { lookAgain } from '../../read/lookAgain.ts';
import type { Claim } from '../claim.ts';
import { agreedAt } from './agreedAt.ts';
import { isThisBoot } from './bootId.ts';
import type { Marker } from './marker.ts';

/**
 * Looks for writes that a machine has lost when it went down. Restored and published files can be among them, because nothing here waits
 * for the disk. So after another boot, every entry that has not changed since the tree agreed with the newest snapshot must still agree.
 * Returns the first entry that does not: the saved state is better than this tree. Undefined: no sign of a loss.
 */
export async function lostWrites(
  context: StateContext,
  { head }: Claim,
  { root, marker }: { readonly root: TreeRoot; readonly marker: Marker },
  signal: AbortSignal,
): Promise<EntryPath | undefined> {
  const newest = head.snapshots.at(-1);
  if (!newest || isThisBoot(marker.boot)) return undefined;
  try {
    const saved = await lookAgain(context, () => loadSnapshot(context, newest, signal), signal);
    const { firstLost } = await import('../../parts/losses.ts');
    return firstLost(root, saved, agreedAt(marker, newest));
  } catch (error) {
    // One of the two cannot be read: there is no sign of a loss.
    if (isRuntimeError(error, 'damaged', 'unsaved')) return undefined;
    throw error;
  }
}
