import type { Command, CommandGroup, OptionSpec } from '../base/command/command.ts';
import { examples } from './examples.ts';

/** `--help` of a group of commands; the root is the empty path. */
export function groupHelp(group: CommandGroup, path: readonly string[]): string {
  const rows = Object.entries(group.commands)
    .filter(([, { hidden }]) => !hidden)
    .map(([name, { summary }]): Row => [name, summary]);
  const name = ['runtime', ...path].join(' ');
  return text([
    `Usage: ${name} COMMAND`,
    sentence(group.summary),
    section('Commands', rows),
    `${name} COMMAND --help says more.`,
  ]);
}

export function commandHelp(command: Command, path: readonly string[]): string {
  const rows = Object.entries({ ...command.options, help }).map(
    ([name, option]): Row => [
      `${option.short ? `-${option.short}, ` : ''}--${name}${option.type === 'string' ? ` ${option.value ?? name.toUpperCase()}` : ''}`,
      option.description,
    ],
  );
  return text([
    `Usage: ${['runtime', ...path, '[OPTIONS]', command.positionals].join(' ').trimEnd()}`,
    sentence(command.summary),
    section('Options', rows),
    command.below &&
      section(
        'Commands',
        Object.entries(command.below).map(([name, { summary }]): Row => [name, summary]),
      ),
    command.details?.trim(),
    examplesOf(path.join(' ')),
  ]);
}

function examplesOf(path: string): string | undefined {
  const rows = (examples[path] ?? []).map((line): Row => {
    const [typed = '', meaning = ''] = line.split(' # ');
    return [typed, meaning];
  });
  return rows.length === 0 ? undefined : section('Examples', rows);
}

type Row = readonly [left: string, right: string];

const help: OptionSpec = { type: 'boolean', short: 'h', description: 'print this' };

function section(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())].join(
    '\n',
  );
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}${summary.endsWith('.') ? '' : '.'}`;
}

function text(paragraphs: readonly (string | undefined)[]): string {
  return `${paragraphs.filter((paragraph) => paragraph !== undefined).join('\n\n')}\n`;
}
