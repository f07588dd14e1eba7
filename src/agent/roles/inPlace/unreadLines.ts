import { parseEnv } from 'node:util';

/**
 * The numbers of the lines of a file of variables that set none: neither `NAME=value`, nor a comment, nor a part of a value of several
 * lines. What belongs to a value only Node's own reader knows: each line in question is made to begin with a name, and where
 * that is found it was no part of one.
 */
export function unreadLines(text: string): readonly number[] {
  const lines = text.split('\n');
  let mark = 'LINE_';
  while (text.includes(mark)) mark += '_';
  const isSound = (line: string) => /^\s*(#.*|(export\s+)?[^\s=]+\s*=.*)?$/s.test(line);
  const marked = lines.map((line, index) => (isSound(line) ? line : `${mark}${index + 1}=x${line}`));
  const found = Object.keys(parseEnv(marked.join('\n')));
  return found
    .filter((name) => name.startsWith(mark))
    .map((name) => Number(name.slice(mark.length)))
    .sort((a, b) => a - b);
}
