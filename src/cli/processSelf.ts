import { isSea } from 'node:sea';

/** How this program starts itself in another role: the executable alone or, from source, Node with the main file. */
export function processSelf(): { readonly file: string; readonly args: readonly string[] } {
  return { file: process.execPath, args: isSea() ? [] : process.argv.slice(1, 2) };
}
