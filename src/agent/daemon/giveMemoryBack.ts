import { releaseMemory } from '../../base/releaseMemory.ts';
import { MUCH_BYTES, releaseWhenQuiet } from '../../base/releaseWhenQuiet.ts';

/** When the start is over and its garbage can be collected, milliseconds. */
const SETTLE_MS = 2000;

/**
 * Gives the memory of the start, and later of large work, back to the system: a host has a thousand daemons, each as long as its bot.
 * The returned function is called with the size of each piece of work, bytes.
 */
export function giveMemoryBack(): (bytes: number) => void {
  setTimeout(releaseMemory, SETTLE_MS).unref();
  return releaseWhenQuiet(MUCH_BYTES);
}
