import type { BotView } from '../../api/hostApi.ts';
import type { Known } from '../known.ts';
import { isLive } from '../statusOf.ts';

/** Nothing of it runs or is about to, and all that it had written is in the store: another host may have it. */
export function isAtRest(one: Known, bot: BotView | undefined, isSaved: (id: string) => boolean): boolean {
  const { id, wanted, removedAt } = one.record;
  if (wanted !== 'stopped' || removedAt !== undefined) return false;
  // In any other state the loop may be about to start it, with nothing to be seen of that yet.
  if (bot?.state !== 'disabled' || isLive(bot)) return false;
  // Seen once: its disk may not be there to be looked at later.
  one.isSaved ||= isSaved(id);
  return one.isSaved;
}
