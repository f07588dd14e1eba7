import { expect, test } from 'vitest';
import { type Command, type CommandGroup, isGroup } from '../../../src/base/command/command.ts';
import { parseCommandLine } from '../../../src/base/command/parseCommandLine.ts';
import { examples } from '../../../src/operator/examples.ts';
import { commandHelp } from '../../../src/operator/help.ts';
import { commands } from '../../../src/programs/commands.ts';

async function all(
  entry: Command | CommandGroup,
  path: readonly string[] = [],
): Promise<Map<string, Command>> {
  const found = new Map<string, Command>(isGroup(entry) ? [] : [[path.join(' '), entry]]);
  const below = isGroup(entry) ? entry.commands : (entry.below ?? {});
  for (const [name, { load, hidden }] of Object.entries(below)) {
    if (hidden) continue;
    for (const [place, command] of await all(await load(), [...path, name])) found.set(place, command);
  }
  return found;
}

const known = await all(commands);

test('every command has examples in its --help, and no other has any', () => {
  expect(Object.keys(examples).toSorted()).toEqual([...known.keys()].toSorted());
  for (const [path, command] of known)
    expect(commandHelp(command, path.split(' '))).toContain('\nExamples:\n');
});

/** Words of a command line, quoted or not, up to the shell's own. */
function words(line: string): readonly string[] {
  const [typed = ''] = line.split(/ # | [|>] |\)$/);
  return [...typed.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

test.each(Object.values(examples).flat())('%s is a command line', (line) => {
  const all = words(line.replace('source <(', ''));
  const argv = all.slice(all.indexOf('runtime') + 1);
  const path =
    [3, 2, 1].map((depth) => argv.slice(0, depth).join(' ')).find((place) => known.has(place)) ?? '';
  const depth = path.split(' ').length;
  const command = known.get(path);
  expect(command, path).toBeDefined();
  // Without somebody to explain it throws for whatever is wrong.
  expect(parseCommandLine(command!, argv.slice(0, depth), argv.slice(depth), undefined).help).toBe(false);
});
