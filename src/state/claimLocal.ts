import { RuntimeError } from '../errors.ts';
import { type Claim, type ClaimOptions, claim, observe } from './claim.ts';
import type { StateContext } from './context.ts';
import { readMarker, writeMarker } from './marker.ts';
import { openRoot } from './treeRoot.ts';

/**
 * Takes the next generation for the tree that already lies in `dir`, restored there by another process. Throws `refused`
 * unless that tree is complete and nobody has had the bot since: anything else could replace a good state by a worse one.
 */
export async function claimLocal(
  context: StateContext,
  options: ClaimOptions & { readonly dir: string },
): Promise<Claim> {
  const root = openRoot(options.dir);
  const marker = readMarker(root);
  const { previous } = await observe(context, options);
  const isNewest = marker?.generation === previous.generation || marker?.claimants.includes(previous.holder);
  if (!marker?.complete || marker.bot !== context.bot || !isNewest) {
    throw new RuntimeError('refused', `${options.dir} does not hold the newest state of ${context.bot}`, {
      op: 'state.claim',
      path: options.dir,
      hint: 'Pull first: `runtime daemon init` on the same volume, or `runtime daemon sync --pull`.',
    });
  }
  const taken = await claim(context, options);
  writeMarker(root, { ...marker, generation: taken.generation });
  return taken;
}
