import { expect, test } from 'vitest';
import { suggest } from '../../../src/base/suggest.ts';
import { builtInKinds } from '../../../src/bot/kinds/builtIn.ts';
import { commands } from '../../../src/programs/commands.ts';

const kinds = builtInKinds.flatMap(({ id, aliases }) => [id, ...aliases]);

test.each([
  ['pyton', 'python3.11'],
  ['Python', 'python3.11'],
  ['python3.12', 'python3.11'],
  ['node', 'nodejs20'],
  ['nodejs18', 'nodejs20'],
  ['rust', 'rust-stable'],
  ['gcc12', 'gcc13'],
  ['dotnet', 'dotnet8'],
  ['comand', 'command'],
  ['python-fn', 'python-function'],
  ['cobol', undefined],
  ['x', undefined],
])('the kind %s means %s', (typed, meant) => {
  expect(suggest(typed, kinds)).toBe(meant);
});

test.each([
  ['exec', 'execute'],
  ['stat', 'state'],
  ['log', 'logs'],
  ['deamon', 'daemon'],
  ['docter', 'doctor'],
  ['run', undefined],
  ['foo', undefined],
])('the command %s means %s', (typed, meant) => {
  expect(suggest(typed, Object.keys(commands.commands))).toBe(meant);
});
