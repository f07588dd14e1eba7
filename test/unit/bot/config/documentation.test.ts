import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flagOf, type VariableName, variables } from '../../../../src/bot/config/variables.ts';

const document = readFileSync(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8');
const [, section = ''] = document.split('\n## Variables\n');
const rows = section
  .slice(0, section.indexOf('\n## '))
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  // The formatter pads the cells.
  .map((line) => line.replace(/ +/g, ' '));

function rowOf(name: VariableName): string {
  const { default: usual, meaning, shown } = variables[name];
  const flag = flagOf(name);
  const spelled = flag === undefined ? `\`${name}_FILE\`` : `\`--${flag}\``;
  return `| \`${name}\` | ${spelled} | ${usual === undefined ? '' : `\`${usual}\` `}| ${meaning}${shown === 'secret' ? ' (secret)' : ''} |`;
}

test('docs/configuration.md lists exactly the variables that are read, in their order', () => {
  expect(rows).toEqual((Object.keys(variables) as VariableName[]).map(rowOf));
});

test('every default is acceptable itself', () => {
  for (const { parser, default: usual } of Object.values(variables)) {
    if (usual !== undefined) expect(parser.parse(usual)).toBeDefined();
  }
});
