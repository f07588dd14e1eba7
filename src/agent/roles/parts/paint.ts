/** A line of the runtime's log for a terminal: the time in the background, warnings and errors in colour. A part: no container has one. */
export function paint(line: string): string {
  const [, time, level = '', rest] = /^(\S+) (debug|info |warn |error)(.*\n)$/s.exec(line) ?? [];
  if (time === undefined) return line;
  const colour = { error: '31', 'warn ': '33' }[level];
  return `\x1b[2m${time} ${colour ? `\x1b[0;${colour}m` : ''}${level}\x1b[0m${rest}`;
}
