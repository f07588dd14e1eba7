import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';

/**
 * Tells what the store has of a bot without a head. A new bot has nothing, or a state in the older format. Manifests or packs without a
 * head are a damaged state, not a new bot: a start from nothing would begin with less than is saved, and pruning would remove the
 * rest. Throws `damaged` for it. Costs one listing, at a bot's first start only.
 */
export async function firstStart(
  { store, bot }: StateContext,
  signal: AbortSignal,
): Promise<{ readonly legacy: boolean }> {
  let legacy = false;
  try {
    for await (const { key } of store.list(`${bot}/`, { signal })) {
      // Consoles mark folders that somebody has looked at with an empty object of that name.
      if (key.endsWith('/')) continue;
      // The store has just said that it is not there: another instance's first, or an answer that was wrong.
      if (key === keys.head(bot)) throw headGone(bot, key);
      if (key.startsWith(keys.manifests(bot)) || key.startsWith(keys.packs(bot))) throw headGone(bot, key);
      legacy ||= key === keys.legacy(bot);
    }
  } catch (error) {
    // No bucket, no objects.
    if (!isRuntimeError(error, 'not-found')) throw error;
  }
  return { legacy };
}

/** `found`: what of the bot is there all the same; undefined: an instance runs that has written it. */
export function headGone(bot: string, found?: string): RuntimeError {
  const why = found === undefined ? 'while it runs' : `and other objects of its state are there (${found})`;
  return new RuntimeError('damaged', `the head of ${bot} is gone, ${why}`, {
    op: 'state.claim',
    path: keys.head(bot),
    hint: `Put back an earlier version of it, or make one from the newest good manifest: \`runtime state recover ${bot}\`.`,
  });
}
