import type { Owner } from '../../../base/owner.ts';
/**
 * Whom the query program of a running bot runs as: not the bot, whose files it could change, whose modes and times it
 * could set, and whom it could signal. It is in the bot's group, to read what others may not, where Landlock
 * refuses writes; without Landlock it is in a group of its own, because what the group may write it could.
 * Undefined: where we are not root, whoever we are.
 */
export function programUser(bot: Owner | undefined, landlock: boolean): Owner | undefined {
  if (bot === undefined) return undefined;
  return { uid: neighbour(bot.uid), gid: landlock ? bot.gid : neighbour(bot.gid) };
}

/** The largest id means "leave as it is" to the kernel; root would be no restriction at all. */
function neighbour(id: number): number {
  return id >= 0xffff_fffe ? id - 1 : id + 1;
}
