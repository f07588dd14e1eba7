import { isSea } from 'node:sea';

/** SIGUSR1 would open a debugger to everybody who may send it, the bot as well: our memory holds the credentials. */
const NO_DEBUGGER = '--disable-sigusr1';

/** How this program starts itself in another role: the executable alone or, from source, Node with the main file. */
export function processSelf(): { readonly file: string; readonly args: readonly string[] } {
  const args = isSea() ? [`--node-options=${NO_DEBUGGER}`] : [NO_DEBUGGER, ...process.argv.slice(1, 2)];
  return { file: process.execPath, args };
}
