/** One line of text that cannot act on a terminal: what moves a cursor, and all other control characters but tabs, as `\u001b`. */
export function escapeControls(line: string): string {
  return line.replace(/[^\P{Cc}\t]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
