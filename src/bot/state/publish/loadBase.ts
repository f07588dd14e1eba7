import { isRuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import type { Head } from '../format/head.ts';
import { loadSnapshot } from '../read/loadSnapshot.ts';
import { emptyPublished, type Published, publishedFrom } from './published.ts';

/**
 * The snapshot that a tree comes from: the newest of its own `generation`, else the one with the `sequence` that it was
 * restored from. One that cannot be read costs an upload of everything, no more.
 */
export async function loadBase(
  context: StateContext,
  { snapshots }: Head,
  from: { readonly generation: number; readonly sequence: number },
  signal: AbortSignal,
): Promise<Published> {
  const newest = snapshots.at(-1);
  const isOurs = newest?.generation === from.generation;
  const base = isOurs ? newest : snapshots.find(({ sequence }) => sequence === from.sequence);
  if (!base) return emptyPublished();
  try {
    return publishedFrom(await loadSnapshot(context, base, signal));
  } catch (error) {
    if (!isRuntimeError(error, 'damaged')) throw error;
    const message = 'the last snapshot cannot be read; everything is uploaded again';
    context.warn(message, { reason: error.message });
    return emptyPublished();
  }
}
