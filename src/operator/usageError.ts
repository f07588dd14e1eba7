import type { Command, CommandGroup } from '../base/command/command.ts';
import { RuntimeError } from '../base/errors.ts';
import { suggest } from '../base/suggest.ts';

/** What other programs call what is a command here. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  delete: ['rm'],
  list: ['ls'],
  pause: ['disable'],
  remove: ['rm'],
  run: ['execute'],
  start: ['execute', 'enable'],
  stop: ['disable'],
};

/** `runtime stat`: 64, and the command that was probably meant. */
export function unknownCommand(name: string, group: CommandGroup, path: readonly string[]): RuntimeError {
  const known = Object.keys(group.commands).filter((known) => !group.commands[known]?.hidden);
  if (name.startsWith('-')) {
    const options = path.length === 0 ? ['--help', '--version'] : ['--help'];
    return usage(`unknown option ${name}`, path, suggest(name, options));
  }
  const same = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
  const meant = same?.find((one) => known.includes(one)) ?? suggest(name, known);
  return usage(`unknown command "${[...path, name].join(' ')}"`, path, meant);
}

/** An option that parseArgs refused. */
export function wrongFlag(
  command: Command,
  path: readonly string[],
  argv: readonly string[],
  error: Error,
): RuntimeError {
  const known = Object.keys(command.options);
  const unknown = argv
    .slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
    .filter((word) => word.startsWith('--'))
    .map((word) => word.slice(2).split('=')[0] ?? '')
    .find((name) => name !== 'help' && !known.includes(name));
  if (unknown === undefined) return usage(error.message.split('. ')[0] ?? error.message, path, undefined);
  const meant = suggest(unknown, [...known, 'help']);
  return usage(`unknown option --${unknown}`, path, meant && `--${meant}`);
}

export function wrongPositionals(
  command: Command,
  path: readonly string[],
  given: readonly string[],
  atMost: number,
): RuntimeError {
  const extra = given[atMost];
  const problem =
    extra === undefined ? `missing argument: ${command.positionals}` : `unexpected argument "${extra}"`;
  return usage(problem, path, undefined);
}

function usage(problem: string, path: readonly string[], meant: string | undefined): RuntimeError {
  const help = `see ${['runtime', ...path].join(' ')} --help`;
  return new RuntimeError('usage', problem, {
    hint: meant === undefined ? help : `did you mean ${meant}? ${help}`,
  });
}
