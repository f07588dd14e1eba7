import { RuntimeError } from '../errors.ts';
import type { Claim } from './claim.ts';
import type { StateContext } from './context.ts';
import { DirectoryPublisher } from './directoryPublisher.ts';
import { readMarker } from './marker.ts';
import type { Publisher, PublisherOptions } from './publisher.ts';
import { openRoot } from './treeRoot.ts';

/** Throws `refused` when `dir` is not the tree that was restored for this claim. */
export function openPublisher(context: StateContext, claim: Claim, options: PublisherOptions): Publisher {
  const root = openRoot(options.dir);
  const marker = readMarker(root);
  if (marker?.complete && marker.bot === context.bot && marker.generation === claim.generation) {
    return new DirectoryPublisher(context, claim, options, root, marker);
  }
  throw new RuntimeError('refused', `${options.dir} is not the state of generation ${claim.generation}`, {
    op: 'state.publish',
    path: options.dir,
    hint: 'Publishing it could replace a good state by something else. Restore it first: `runtime daemon init`.',
  });
}
