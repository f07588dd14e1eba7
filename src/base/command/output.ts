import type { Output } from './command.ts';

export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Columns for people, tabs for pipes. A header only for people. */
export function writeTable(
  output: Output,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (!output.isTTY) {
    output.write(rows.map((row) => `${row.join('\t')}\n`).join(''));
    return;
  }
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  output.write(`${lines.join('\n')}\n`);
}

/** `1.5 MiB` */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A name on one line: what would break a terminal or a table is escaped as in JSON. */
export function shown(path: string): string {
  const quoted = JSON.stringify(path).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  return quoted === `"${path}"` ? path : quoted;
}

/** One line that is written over again, on terminals only. */
export function progressLine(output: Output): { update(text: string): void; end(): void } {
  let width = 0;
  const write = (text: string) => {
    output.write(`\r${text.padEnd(width)}`);
    width = text.length;
  };
  return {
    update: (text) => output.isTTY && write(text),
    end: () => width > 0 && output.write(`\r${' '.repeat(width)}\r`),
  };
}
