import { type Command, type CommandGroup, type CommandLoader, type Invocation, isGroup } from './command.ts';
import { type Explain, HandOver } from './explain.ts';
import { overlay } from './overlay.ts';
import { parseCommandLine } from './parseCommandLine.ts';

/** The process as a command sees it, less what is on the command line. */
export type Surroundings = Omit<Invocation, 'positionals' | 'flags' | 'commands'>;

/**
 * Finds the command that `argv` names under `root`, runs it and resolves with its exit code. Throws `usage` (64) for a wrong
 * command line; without an `explain`, `HandOver` for that and for `--help`.
 */
export async function dispatch(
  root: CommandGroup,
  argv: readonly string[],
  surroundings: Surroundings,
  explain: Explain | undefined,
): Promise<number> {
  let entry: Command | CommandGroup = root;
  const path: string[] = [];
  let rest = argv;
  while (isGroup(entry)) {
    const [name, ...after] = rest;
    if (name === undefined || name === '--help' || name === '-h') {
      if (!explain) throw new HandOver();
      const asked = name !== undefined;
      (asked ? surroundings.stdout : surroundings.stderr).write(explain.groupHelp(entry, path));
      return asked ? 0 : 64;
    }
    if (name === 'help') {
      // `runtime help state ls` is `runtime state ls --help`.
      rest = [...after, '--help'];
      continue;
    }
    const loader: CommandLoader | undefined = Object.hasOwn(entry.commands, name)
      ? entry.commands[name]
      : undefined;
    if (loader === undefined) {
      throw explain?.unknownCommand(name, entry, path) ?? new HandOver();
    }
    path.push(name);
    rest = after;
    entry = await loader.load();
    const [next = ''] = rest;
    if (isGroup(entry) || !entry.below || !Object.hasOwn(entry.below, next)) continue;
    path.push(next);
    rest = rest.slice(1);
    entry = await entry.below[next]!.load();
  }
  const { help, ...given } = parseCommandLine(entry, path, rest, explain);
  if (help) {
    if (!explain) throw new HandOver();
    surroundings.stdout.write(explain.commandHelp(entry, path));
    return 0;
  }
  return entry.run(overlay(surroundings, { ...given, commands: root }));
}
