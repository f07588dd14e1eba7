import { type Command, type CommandGroup, isGroup } from '../../base/command/command.ts';

/** One place on a command line, and what may follow there. */
export interface Place {
  /** `state ls`; empty for the root. */
  readonly path: string;
  readonly commands: readonly Choice[];
  readonly flags: readonly Choice[];
  /** What a positional argument may be, where that is a fixed choice: `bash|zsh|fish`. */
  readonly values: readonly string[];
}

export interface Choice {
  readonly name: string;
  readonly summary: string;
}

const help: Choice = { name: '--help', summary: 'print help' };

/** Every place below `entry`, itself first. Loads all commands. */
export async function listCommands(entry: Command | CommandGroup, path = ''): Promise<readonly Place[]> {
  const loaders = isGroup(entry) ? entry.commands : (entry.below ?? {});
  const visible = Object.entries(loaders).filter(([, { hidden }]) => !hidden);
  const below: Place[] = [];
  for (const [name, { load }] of visible) {
    below.push(...(await listCommands(await load(), `${path} ${name}`.trim())));
  }
  const commands = visible.map(([name, { summary }]) => ({ name, summary }));
  return [{ path, commands, ...wordsOf(entry) }, ...below];
}

function wordsOf(entry: Command | CommandGroup): Pick<Place, 'flags' | 'values'> {
  if (isGroup(entry)) return { flags: [help], values: [] };
  const options = Object.entries(entry.options);
  const flags = options.map(([name, { description }]) => ({ name: `--${name}`, summary: description }));
  const values = /^[\w|-]+$/.test(entry.positionals) && entry.positionals.includes('|');
  return { flags: [...flags, help], values: values ? entry.positionals.split('|') : [] };
}
