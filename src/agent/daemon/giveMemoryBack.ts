import { releaseMemory } from '../../base/releaseMemory.ts';
import { MUCH_BYTES, releaseWhenQuiet } from '../../base/releaseWhenQuiet.ts';

/** When the start is over and its garbage can be collected, milliseconds. */
const SETTLE_MS = 2000;

/**
 * Gives the memory of the start, and later of large work, back to the system: a host has a thousand daemons, each as long as its bot.
 * The returned function is called with the size of each piece of work, bytes.
 */
export function giveMemoryBack(): (bytes: number) => void {
  const settle = () => {
    releaseMemory();
    // What runs from here on runs every minute, as long as the bot. V8 would forget it after half a minute, and compile it for each look.
    process.getBuiltinModule('node:v8').setFlagsFromString('--no-flush-bytecode');
  };
  setTimeout(settle, SETTLE_MS).unref();
  return releaseWhenQuiet(MUCH_BYTES);
}
