/**
 * The text for file descriptor 3: a line with the program's length in bytes, then the program. Programs travel
 * this way so that `ps` shows a short command line, and so that nothing is read from a path that a bot may write.
 */
export function controlText(program: string): string {
  return `${Buffer.byteLength(program)}\n${program}`;
}
