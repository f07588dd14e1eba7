import { RuntimeError } from '../../../base/errors.ts';
import type { Claim } from '../claim/claim.ts';
import { bootId } from '../claim/tree/bootId.ts';
import { type Marker, readMarker } from '../claim/tree/marker.ts';
import type { StateContext } from '../format/context.ts';
import { openRoot, type TreeRoot } from '../local/treeRoot.ts';
import { DirectoryPublisher } from './directoryPublisher.ts';
import type { Publisher, PublisherOptions } from './publisher.ts';

/** Throws `refused` when `dir` is not the tree that was restored for this claim. */
export function openPublisher(context: StateContext, claim: Claim, options: PublisherOptions): Publisher {
  const root = openRoot(options.dir);
  const marker = remembered(context, claim, root) ?? found(context, claim, root);
  if (marker) return new DirectoryPublisher(context, claim, options, root, marker);
  throw new RuntimeError('refused', `${options.dir} is not the state of generation ${claim.generation}`, {
    op: 'state.publish',
    path: options.dir,
    hint: 'Publishing it could replace a good state by something else. Restore it first: `runtime daemon init`.',
  });
}

/** What the marker ought to say, by the memory of those who restored the tree: the bot may have removed or forged it. */
function remembered({ bot }: StateContext, claim: Claim, root: TreeRoot): Marker | undefined {
  const { generation, tree } = claim;
  if (tree?.device !== root.device || tree.inode !== root.inode) return undefined;
  const { sequence, restoredAt } = tree;
  return { bot, generation, sequence, complete: true, claimants: [], restoredAt, boot: bootId() };
}

/** The tree was restored by another process, or its volume was mounted again. */
function found({ bot }: StateContext, { generation }: Claim, root: TreeRoot): Marker | undefined {
  const marker = readMarker(root);
  return marker?.complete && marker.bot === bot && marker.generation === generation ? marker : undefined;
}
