import { isRuntimeError } from '../../../../base/errors.ts';
import type { StateContext } from '../../format/context.ts';
import type { EntryPath } from '../../format/entryPath.ts';
import type { TreeRoot } from '../../local/treeRoot.ts';
import { loadSnapshot } from '../../read/loadSnapshot.ts';
import type { Claim } from '../claim.ts';
import { agreedAt } from './agreedAt.ts';
import { isThisBoot } from './bootId.ts';
import type { Marker } from './marker.ts';

/**
 * A machine that goes down loses writes that had not reached the disk, restored and published ones too: nothing here
 * waits for the disk. So after another boot, what has not changed since the tree was as the newest snapshot says must be so
 * still. Returns the first entry that is not: then what is saved is better than what is here. Undefined: no sign of it.
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
    const saved = await loadSnapshot(context, newest, signal);
    const { firstLost } = await import('../../parts/losses.ts');
    return firstLost(root, saved, agreedAt(marker, newest));
  } catch (error) {
    // One of the two cannot be read, so nothing speaks against the tree that is here.
    if (isRuntimeError(error, 'damaged', 'unsaved')) return undefined;
    throw error;
  }
}
