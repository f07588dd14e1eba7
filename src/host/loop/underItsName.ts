import type { Recorded } from '../reconcile/recorded.ts';
import type { Entry, Listing } from '../sources/source.ts';

/**
 * The listing with what is broken under the name that it had when it last was a bot. A source that has just begun knows a broken
 * file only by the file's name: without this, the bot of another name that it was would be gone.
 */
export function underItsName(
  listing: Listing,
  bots: Iterable<string>,
  recorded: (bot: string) => Recorded,
): Listing {
  const isStrange = ([name, entry]: readonly [string, Entry]) =>
    'problems' in entry && recorded(name).good?.origin !== entry.origin;
  if (![...listing].some(isStrange)) return listing;
  const byOrigin = new Map<string, string>();
  for (const bot of bots) {
    const { good } = recorded(bot);
    if (good !== undefined && !listing.has(bot)) byOrigin.set(good.origin, bot);
  }
  return new Map(
    [...listing].map((one): [string, Entry] => {
      const [name, entry] = one;
      return [(isStrange(one) && byOrigin.get(entry.origin)) || name, entry];
    }),
  );
}
