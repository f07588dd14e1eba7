import { isSea } from 'node:sea';
import { isMemoryTight } from '../../base/isMemoryTight.ts';

/** SIGUSR1 would open a debugger to everybody who may send it, the bot as well: our memory holds the credentials. */
const NO_DEBUGGER = '--disable-sigusr1';

/** MiB, of which V8 holds three times as much: the garbage of a publish comes faster than V8 thinks it worth collecting. */
const LITTLE_GARBAGE = '--max-semi-space-size=1';

/** How this program starts itself in another role: the executable alone or, from source, Node with the main file. */
export function processSelf(): { readonly file: string; readonly args: readonly string[] } {
  const options = isMemoryTight() ? [NO_DEBUGGER, LITTLE_GARBAGE] : [NO_DEBUGGER];
  const args = isSea() ? [`--node-options=${options.join(' ')}`] : [...options, ...process.argv.slice(1, 2)];
  return { file: process.execPath, args };
}
