import { releaseMemory } from '../../base/releaseMemory.ts';
import { MUCH_BYTES, releaseWhenQuiet } from '../../base/releaseWhenQuiet.ts';

/** When the start is over and its garbage can go, milliseconds. */
const SETTLE_MS = 2000;

/** A daemon lives as long as its bot, a thousand of them on a host: what start and work leave is given back. Returns what is to be called with work, bytes. */
export function giveMemoryBack(): (bytes: number) => void {
  setTimeout(releaseMemory, SETTLE_MS).unref();
  return releaseWhenQuiet(MUCH_BYTES);
}
