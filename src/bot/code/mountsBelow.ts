import { readFileSync, realpathSync } from 'node:fs';

/** Mount points at or below any of `names` in `directory`, as absolute paths. */
export function mountsBelow(directory: string, names: readonly string[]): string[] {
  const roots = names.map((name) => `${realpathSync(directory)}/${name}`);
  return mountPoints().filter((mount) =>
    roots.some((root) => mount === root || mount.startsWith(`${root}/`)),
  );
}

function mountPoints(): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
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
