import type { Command } from '../base/command/command.ts';
import { type CatalogEntry, catalog } from '../bot/kinds/catalog.ts';
import { loadKinds } from '../bot/kinds/registry.ts';

export const kinds: Command = {
  name: 'kinds',
  summary: 'List the kinds of bots that can be run',
  positionals: '',
  options: { json: { type: 'boolean', description: 'Print a JSON array' } },
  details: 'KINDS_PATH (/etc/runtime/kinds.d) holds the manifests of further kinds; see docs/kinds.md.',
  async run({ env, flags, stdout }) {
    const kinds = await loadKinds({
      manifestsDir: env.KINDS_PATH || '/etc/runtime/kinds.d',
      allowExperimental: true,
    });
    const entries = catalog(kinds.all());
    if (flags.json) stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    else if (stdout.isTTY) stdout.write(table(entries, stdout.columns || undefined));
    else stdout.write(entries.map((entry) => `${columns(entry).join('\t')}\n`).join(''));
    return 0;
  },
};

function columns({ id, aliases, name, status, footprint, description, source }: CatalogEntry): string[] {
  return [[id, ...aliases].join(', '), name, status, description, footprint, source.join(' ')];
}

/** Cut at the terminal's width, where that is known (a terminal without a size says 0); `--json` has everything. */
function table(entries: readonly CatalogEntry[], width = Number.POSITIVE_INFINITY): string {
  const rows = [['KIND', 'NAME', 'STATUS', 'DESCRIPTION', 'FOOTPRINT', 'SOURCE'], ...entries.map(columns)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '))
    .map((line) => `${line.slice(0, width).trimEnd()}\n`)
    .join('');
}
