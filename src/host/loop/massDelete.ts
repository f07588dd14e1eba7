import type { Listing } from '../sources/source.ts';

/**
 * Which of the bots that run are kept although the listing no longer has them. A source that suddenly wants fewer than half
 * of what runs is more likely broken than meant: then all of the missing ones are, until an operator says so.
 */
export function heldBack(
  listing: Listing,
  running: readonly string[],
  /** Removed by an operator's own command, or confirmed. */
  meant: ReadonlySet<string>,
): readonly string[] {
  const missing = running.filter((bot) => !listing.has(bot) && !meant.has(bot));
  const counted = running.filter((bot) => !meant.has(bot));
  return counted.length - missing.length < counted.length / 2 ? missing : [];
}
