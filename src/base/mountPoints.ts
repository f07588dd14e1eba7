import { readFileSync } from 'node:fs';

/** Where something is mounted, as this process sees it; later ones cover earlier ones. Nothing where `/proc` does not tell. */
export function mountPoints(encoding: 'utf8' | 'latin1' = 'utf8'): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', encoding);
  } catch {
    return [];
  }
  // proc(5): the fifth field, with space, tab, newline and backslash as octal escapes.
  return table
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}
