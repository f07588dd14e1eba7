import { RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { openRoot } from '../local/treeRoot.ts';
import { type Claim, type ClaimOptions, claim, fenced, observe } from './claim.ts';
import { isNewest } from './tree/isNewest.ts';
import { lostWrites } from './tree/lostWrites.ts';
import { readMarker, writeMarker } from './tree/marker.ts';
import { keptMarker } from './tree/markerFor.ts';

/**
 * Takes the next generation for the tree in `dir`, which another process has restored. Throws `refused` where that tree is not complete,
 * and `fenced` where another instance has had the bot since: otherwise a worse state could replace a good one.
 */
export async function claimLocal(
  context: StateContext,
  options: ClaimOptions & { readonly dir: string },
): Promise<Claim> {
  const root = openRoot(options.dir);
  const marker = readMarker(root);
  const observed = await observe(context, options);
  const { previous } = observed;
  const isOurs = marker?.complete && marker.bot === context.bot;
  if (isOurs && !isNewest(marker, previous)) throw fenced(context.bot, observed.head);
  if (!isOurs || (await lostWrites(context, observed, { root, marker }, options.signal)) !== undefined) {
    throw new RuntimeError('refused', `${options.dir} does not hold the newest state of ${context.bot}`, {
      op: 'state.claim',
      path: options.dir,
      hint: 'Pull first: `runtime daemon init` on the same volume, or `runtime daemon sync --pull`.',
    });
  }
  const taken = await claim(context, { ...options, from: previous });
  writeMarker(root, keptMarker(context, taken, marker));
  return taken;
}
