import type { CatalogEntry } from '../../bot/kinds/catalog.ts';

const head = ['kind', 'name', 'status', 'description', 'footprint', 'source'];

function columns({ id, aliases, name, status, footprint, description, source }: CatalogEntry): string[] {
  return [[id, ...aliases].join(', '), name, status, description, footprint, source.join(' ')];
}

/** A line each, tabs between columns. */
export function lines(entries: readonly CatalogEntry[]): string {
  return entries.map((entry) => `${columns(entry).join('\t')}\n`).join('');
}

/** Cut at the terminal's width, where that is known (a terminal without a size says 0); `--json` has everything. */
export function table(entries: readonly CatalogEntry[], width = Number.POSITIVE_INFINITY): string {
  return padded([head.map((name) => name.toUpperCase()), ...entries.map(columns)])
    .map((row) => `${row.join('  ').slice(0, width).trimEnd()}\n`)
    .join('');
}

export function markdown(entries: readonly CatalogEntry[]): string {
  const rows = entries.map((entry) =>
    columns({
      ...entry,
      id: `\`${entry.id}\``,
      aliases: entry.aliases.map((name) => `\`${name}\``),
      // The others are what its own file is made of.
      source: entry.source.slice(0, 1).map((file) => `\`${file}\``),
    }).map((cell) => cell.replaceAll('|', '\\|')),
  );
  const [first = [], ...rest] = padded([head, ...rows]);
  const rule = first.map((cell) => '-'.repeat(cell.length));
  return [first, rule, ...rest].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

function padded(rows: readonly (readonly string[])[]): string[][] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)));
}
